package dev.slipstream.pipelines.cost;

import dev.slipstream.pipelines.cost.DeviceRates.Basis;
import dev.slipstream.pipelines.graph.Graph;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Times of a model's modules as they were measured on a device. What was measured in other sizes is scaled by the work,
 * and what is part of a module has its share of it.
 *
 * @param rates that fit all modules best
 * @param factors how many times as long as the rates say a module takes, by the module's path
 */
public record Profile(DeviceRates rates, Map<String, Double> factors) implements DeviceTimes {
    /** A factor beyond these is noise of a module that does next to nothing. */
    private static final double MOST_FACTOR = 4;
    private static final int SWEEPS = 4000;
    /** Pieces whose works differ by less than a few percent do not tell what a start takes. */
    private static final double SAME_SIZE = 1e-3;

    public Profile {
        factors = Collections.unmodifiableMap(new TreeMap<>(factors));
    }

    /**
     * A run that was measured.
     *
     * @param module that does most of it
     * @param modules the work of all modules in it
     * @param nanos processing time
     */
    public record Sample(String module, Map<String, Workload> modules, double nanos) {
        private Workload all() {
            return modules.values().stream().reduce(Workload.NOTHING, Workload::plus);
        }
    }

    /**
     * Fits rates to runs: the least squares of relative errors, with no negative time for anything; then what is left
     * over becomes each module's factor.
     *
     * @param device what it is called
     * @param memoryBytes of the device
     */
    public static Profile fit(String device, long memoryBytes, List<Sample> samples) {
        double[] nanos = leastSquares(samples);
        DeviceRates rates = new DeviceRates(device, Basis.MEASURED, 1 / nanos[0], 1 / nanos[1], 1 / nanos[2],
            1 / nanos[3], nanos[4], nanos[5], memoryBytes);
        Map<String, List<Double>> factors = new TreeMap<>();
        for (Sample sample : samples) {
            double own = rates.nanos(sample.modules().getOrDefault(sample.module(), Workload.NOTHING));
            double others = rates.startNanos() + rates.nanos(sample.all()) - own;
            if (own > 0) {
                factors.computeIfAbsent(sample.module(), key -> new ArrayList<>())
                    .add(Math.clamp((sample.nanos() - others) / own, 1 / MOST_FACTOR, MOST_FACTOR));
            }
        }
        Map<String, Double> means = new TreeMap<>();
        factors.forEach((module, all) ->
            means.put(module, all.stream().mapToDouble(Double::doubleValue).average().orElseThrow()));
        return new Profile(rates, means);
    }

    /**
     * The same for a network that was measured in few large pieces, too: what a run takes by itself, whatever it does,
     * is hard to tell apart from what single modules take, and these take so much more or less inside a piece. Both are
     * those that fit the pieces best, by the least squares of relative errors.
     *
     * @param pieces of at least two sizes, or nothing but the modules' scale is found; none to change nothing
     */
    public Profile scaledTo(List<Sample> pieces) {
        double ones = 0;
        double mixed = 0;
        double squares = 0;
        double starts = 0;
        double works = 0;
        for (Sample piece : pieces) {
            double start = 1 / piece.nanos();
            double work = (nanos(piece.modules()) - rates.startNanos()) / piece.nanos();
            ones += start * start;
            mixed += start * work;
            squares += work * work;
            starts += start;
            works += work;
        }
        double determinant = ones * squares - mixed * mixed;
        double start = determinant > SAME_SIZE * ones * squares
            ? Math.max(0, (squares * starts - mixed * works) / determinant) : rates.startNanos();
        double scale = (works - start * mixed) / squares;
        if (!(scale > 0)) {
            return this;
        }
        Map<String, Double> scaled = new TreeMap<>();
        factors.forEach((module, factor) -> scaled.put(module, factor * scale));
        return new Profile(rates.withStartNanos(start), scaled);
    }

    private double nanos(Map<String, Workload> modules) {
        double nanos = rates.startNanos();
        for (Map.Entry<String, Workload> module : modules.entrySet()) {
            nanos += factors.getOrDefault(module.getKey(), 1.0) * rates.nanos(module.getValue());
        }
        return nanos;
    }

    /** Nanoseconds for each unit of work of any kind, for each operator and each run, in this order. */
    private static double[] leastSquares(List<Sample> samples) {
        List<double[]> rows = samples.stream().map(sample -> row(sample.all(), sample.nanos())).toList();
        double[] nanos = new double[rows.getFirst().length];
        double[] errors = rows.stream().mapToDouble(row -> 1).toArray();
        for (int sweep = 0; sweep < SWEEPS; sweep++) {
            for (int kind = 0; kind < nanos.length; kind++) {
                double slope = 0;
                double square = 0;
                for (int sample = 0; sample < errors.length; sample++) {
                    slope += rows.get(sample)[kind] * errors[sample];
                    square += rows.get(sample)[kind] * rows.get(sample)[kind];
                }
                double changed = square == 0 ? nanos[kind] : Math.max(0, nanos[kind] + slope / square);
                for (int sample = 0; sample < errors.length; sample++) {
                    errors[sample] -= rows.get(sample)[kind] * (changed - nanos[kind]);
                }
                nanos[kind] = changed;
            }
        }
        return nanos;
    }

    /** What each unit is of the whole time, so that errors are relative. */
    private static double[] row(Workload work, double nanos) {
        return new double[] {work.convolutions() / nanos, work.products() / nanos, work.attention() / nanos,
            work.bytes() / nanos, work.operators() / nanos, 1 / nanos};
    }

    @Override
    public String device() {
        return rates.device();
    }

    @Override
    public Basis basis() {
        return Basis.MEASURED;
    }

    @Override
    public double runNanos(Graph graph) {
        return nanos(Workload.byModule(graph));
    }

    @Override
    public double moveNanos(long moved) {
        return rates.moveNanos(moved);
    }

    @Override
    public long memoryBytes() {
        return rates.memoryBytes();
    }
}
