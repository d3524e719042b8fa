package dev.slipstream.pipelines.diffusion.calibration;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.plan.Cache;
import dev.slipstream.pipelines.plan.PlanException;
import dev.slipstream.pipelines.plan.SegmentOutline;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.TensorObserver;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Measures how the size of what a cache keeps changes from step to step (Ma et al., "MagCache", 2025), in loops in
 * which nothing rests. What is kept is what the part adds to what enters it, as a transformer's blocks do, or else what
 * it makes. Sizes are those of vectors along channels; a step's ratio is the mean over all places and rows of its size
 * to that of the step before. Several runs are averaged. One thread.
 */
public final class CacheSizes implements TensorObserver {
    /** As published, so that nothing is divided by 0. */
    private static final double LEAST = 1e-8;
    private static final double DIGITS = 1e5;

    private final String leaving;
    private final Optional<String> entering;
    private final Shape shape;
    private final List<Double> sums = new ArrayList<>();
    private float[] entered = new float[0];
    private double[] before = new double[0];
    private int runs;

    private CacheSizes(String leaving, Optional<String> entering, Shape shape) {
        this.leaving = leaving;
        this.entering = entering;
        this.shape = shape;
    }

    /** The plan to measure with: cut as that of a cache with a shell of this depth, of which all runs at each step. */
    public static Strategy plan(int depth) {
        return Cache.usual().withDepth(depth).withEvery(1).withWarmUp(1);
    }

    /**
     * For loops of a denoiser that is partitioned for {@link #plan}.
     *
     * @throws PlanException if its cache keeps several tensors, or one that is no list of vectors in float32
     */
    public static CacheSizes of(PartitionedDenoiser denoiser) {
        List<SegmentOutline> segments = denoiser.plan().segments();
        Set<String> read = segments.stream().filter(segment -> segment.component() != 1)
            .flatMap(segment -> segment.reads().stream()).collect(Collectors.toSet());
        List<SegmentOutline> inner = segments.stream().filter(segment -> segment.component() == 1).toList();
        List<String> kept = inner.stream().flatMap(segment -> segment.writes().stream()).filter(read::contains)
            .toList();
        if (kept.size() != 1) {
            throw new PlanException("a cache of denoiser " + denoiser.denoiser().name() + " keeps " + kept.size()
                + " tensors of its inner part, " + kept + ", of which none is the one to measure");
        }
        String made = kept.getFirst();
        int stage = IntStream.range(0, denoiser.plan().stages().size())
            .filter(it -> denoiser.plan().segment(it).writes().contains(made)).findFirst().orElseThrow();
        TensorType type = denoiser.types(stage).get(made);
        if (type == null || type.type() != DataType.FLOAT32 || type.shape().rank() < 3 || type.shape().rank() > 4) {
            throw new PlanException("what a cache of denoiser " + denoiser.denoiser().name() + " keeps, " + made
                + ", is " + type + ", and not float32 [rows, tokens, channels] or [rows, channels, height, width]");
        }
        return new CacheSizes(made, inner.stream().flatMap(segment ->
            Optional.ofNullable(segment.residuals().get(made)).stream()).findFirst(), type.shape());
    }

    /** Whether what is kept is what the part adds. */
    public boolean isResidual() {
        return entering.isPresent();
    }

    @Override
    public boolean wants(String tensor) {
        return tensor.equals(leaving) || entering.equals(Optional.of(tensor));
    }

    @Override
    public void ran(int step, Map<String, MemorySegment> read, Map<String, MemorySegment> made) {
        entering.map(base -> made.containsKey(base) ? made.get(base) : read.get(base))
            .ifPresent(bytes -> entered = bytes.toArray(ValueLayout.JAVA_FLOAT));
        MemorySegment bytes = made.get(leaving);
        if (bytes == null) {
            return;
        }
        double[] sizes = sizes(bytes.toArray(ValueLayout.JAVA_FLOAT));
        if (step == 0) {
            runs++;
        }
        if (sums.size() == step) {
            sums.add(0.0);
        }
        sums.set(step, sums.get(step) + (step == 0 ? 1 : ratio(sizes)));
        before = sizes;
    }

    /** Of the vectors of all places and rows. */
    private double[] sizes(float[] values) {
        boolean last = shape.rank() == 3;
        int channels = Math.toIntExact(shape.dim(last ? 2 : 1));
        int places = Math.toIntExact(last ? shape.dim(1) : shape.dim(2) * shape.dim(3));
        double[] sizes = new double[Math.toIntExact(shape.dim(0)) * places];
        for (int i = 0; i < values.length; i++) {
            double value = values[i] - (isResidual() ? entered[i] : 0);
            sizes[last ? i / channels : i / (channels * places) * places + i % places] += value * value;
        }
        for (int i = 0; i < sizes.length; i++) {
            sizes[i] = Math.sqrt(sizes[i]);
        }
        return sizes;
    }

    private double ratio(double[] sizes) {
        double sum = 0;
        for (int i = 0; i < sizes.length; i++) {
            sum += sizes[i] / (before[i] + LEAST);
        }
        return sum / sizes.length;
    }

    /** One for each step, to five digits behind the point; the first is 1. */
    public List<Double> ratios() {
        return IntStream.range(0, sums.size())
            .mapToObj(step -> Math.rint(sums.get(step) / runs * DIGITS) / DIGITS).toList();
    }
}
