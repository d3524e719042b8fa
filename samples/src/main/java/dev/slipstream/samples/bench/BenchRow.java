package dev.slipstream.samples.bench;

import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.samples.bench.PlanBenchmark.Contender;
import dev.slipstream.samples.terminal.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * All that was measured of a plan. Its components, in snake case, are the keys of the JSON form.
 *
 * @param wallMs median time of the loop; likewise the least and the most
 * @param speedup of the median over the first row
 * @param criticalMs what the loop would take if each device had a core of its own; {@code criticalSpeedup} likewise
 * @param psnrDb mean over all pictures of the likeness to the first row's; 100 for identical ones
 * @param maxDiff largest difference of a channel of a pixel, 0 to 255
 * @param copiedBytes between devices, a picture
 * @param weightBytes on each device
 * @param launchUs host time a launched segment
 * @param stageMs processing time of each stage
 */
record BenchRow(String plan, String spec, List<String> devices, double wallMs, double wallMinMs, double wallMaxMs,
    double speedup, double criticalMs, double criticalSpeedup, double psnrDb, double psnrMinDb, int maxDiff,
    int pictures, int identicalPictures, long copiedBytes, List<Long> weightBytes, double heapBytesPerStep,
    double ortHeapBytesPerStep, double launchUs, Map<String, Double> stageMs) {

    private static final String LEGEND = """
        w1, w3: warm-up steps; s2: stride 2; on: number of devices; wall: median of the loop and its range; x: speed-up
        over the first row; path: what the loop would take with a core for each device, from the processing times of
        its stages (needs a quiet machine where a device has 2 threads); dB: likeness to the first row's pictures, mean
        and worst; diff: largest difference of a pixel's channel; copied: between devices, a picture; weights: most on
        one device; heap: bytes a step in our own code (ONNX Runtime's own: in the JSON); us: host time a launch;
        direct: every step is queued anew, where the other rows replay what recurs
        """;

    /** @param probes one for each contender; the first contender is the one to compare with */
    static List<BenchRow> of(List<Contender> contenders, List<LoopProbe> probes) {
        List<BenchRow> rows = new ArrayList<>();
        Spread base = contenders.getFirst().loopMillis();
        for (int i = 0; i < contenders.size(); i++) {
            Contender it = contenders.get(i);
            LoopProbe probe = probes.get(i);
            Spread wall = it.loopMillis();
            List<Likeness> likeness = likeness(contenders.getFirst().pictures(), it.pictures());
            rows.add(new BenchRow(it.plan().label(), it.plan().spec(), it.plan().devices(), wall.median(),
                wall.least(), wall.most(), base.median() / wall.median(), probe.criticalMillis(),
                probes.getFirst().criticalMillis() / probe.criticalMillis(),
                likeness.stream().mapToDouble(Likeness::decibels).average().orElseThrow(),
                likeness.stream().mapToDouble(Likeness::decibels).min().orElseThrow(),
                likeness.stream().mapToInt(Likeness::difference).max().orElseThrow(), likeness.size(),
                (int) likeness.stream().filter(pair -> pair.difference() == 0).count(), it.copiedBytes(),
                probe.weightBytes(), probe.heapBytesPerStep(), probe.runtimeHeapBytesPerStep(), probe.launchMicros(),
                probe.stageMillis()));
        }
        return rows;
    }

    private static List<Likeness> likeness(List<Image> exact, List<Image> drawn) {
        List<Likeness> all = new ArrayList<>();
        for (int i = 0; i < exact.size(); i++) {
            all.add(Likeness.of(exact.get(i), drawn.get(i)));
        }
        return all;
    }

    /** For a terminal of 120 columns. */
    static String table(List<BenchRow> rows) {
        Table table = new Table().left("plan").right("on").right("wall ms").right("range").right("x")
            .right("path ms").right("x").right("dB").right("worst").right("diff").right("copied").right("weights")
            .right("heap").right("us");
        for (BenchRow row : rows) {
            table.row(row.plan(), row.devices().size(), Table.number("%.0f", row.wallMs()),
                Table.number("%.0f", row.wallMinMs()) + "-" + Table.number("%.0f", row.wallMaxMs()),
                Table.number("%.2f", row.speedup()), Table.number("%.0f", row.criticalMs()),
                Table.number("%.2f", row.criticalSpeedup()), decibels(row.psnrDb()), decibels(row.psnrMinDb()),
                row.maxDiff(), megabytes(row.copiedBytes()),
                megabytes(row.weightBytes().stream().mapToLong(Long::longValue).max().orElse(0)),
                Math.round(row.heapBytesPerStep()), Table.number("%.1f", row.launchUs()));
        }
        return table + "\n" + LEGEND;
    }

    private static String decibels(double value) {
        return value >= Likeness.IDENTICAL ? "same" : Table.number("%.1f", value);
    }

    private static String megabytes(long bytes) {
        return Table.number("%.1fM", bytes / 1e6);
    }

    /**
     * How like two pictures are, of 8 bits a channel.
     *
     * @param decibels peak signal-to-noise ratio; {@link #IDENTICAL} if they are the same
     * @param difference largest difference of a channel of a pixel, 0 to 255
     */
    record Likeness(double decibels, int difference) {
        /** Used instead of infinity, so that means are finite: two small pictures that differ never have as much. */
        static final double IDENTICAL = 100;
        private static final double PEAK = 255;

        static Likeness of(Image one, Image other) {
            byte[] first = one.rgb();
            byte[] second = other.rgb();
            if (one.width() != other.width() || first.length != second.length) {
                throw new IllegalArgumentException("pictures of " + one + " and " + other + " cannot be compared");
            }
            long squares = 0;
            int largest = 0;
            for (int i = 0; i < first.length; i++) {
                int difference = Math.abs((first[i] & 0xFF) - (second[i] & 0xFF));
                squares += (long) difference * difference;
                largest = Math.max(largest, difference);
            }
            double decibels = squares == 0 ? IDENTICAL : 10 * Math.log10(PEAK * PEAK * first.length / squares);
            return new Likeness(Math.min(decibels, IDENTICAL), largest);
        }
    }
}
