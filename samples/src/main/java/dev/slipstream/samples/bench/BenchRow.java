package dev.slipstream.samples.bench;

import dev.slipstream.pipelines.diffusion.calibration.Likeness;
import dev.slipstream.pipelines.diffusion.calibration.QualityTable;
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
 * @param ssim mean over all pictures of the similarity of structures, 1 for identical ones; {@code ssimMin} the least
 * @param maxDiff largest difference of a channel of a pixel, 0 to 255
 * @param copiedBytes between devices, a picture
 * @param weightBytes on each device
 * @param launchUs host time a launched segment
 * @param stageMs processing time of each stage
 * @param queue how long waiting requests take, if that was measured
 */
record BenchRow(String plan, String spec, List<String> devices, double wallMs, double wallMinMs, double wallMaxMs,
    double speedup, double criticalMs, double criticalSpeedup, double psnrDb, double psnrMinDb, double ssim,
    double ssimMin, int maxDiff, int pictures, int identicalPictures, long copiedBytes, List<Long> weightBytes,
    double heapBytesPerStep, double ortHeapBytesPerStep, double launchUs, Map<String, Double> stageMs,
    QueueRow queue) {

    private static final String LEGEND = """
        w1, w3: warm-up steps; s2: stride 2; on: number of devices; wall: median of the loop in ms, and its range; x:
        speed-up over the first row; path: how many ms the loop would take with a core for each device, from the least
        processing times of its stages (needs a quiet machine where a device has 2 threads); dB: likeness to the first
        row's pictures, mean and worst; SSIM: similarity of structures, mean, 1 for the same; diff: largest difference
        of a pixel's channel; copied: between devices, a picture; weights: most on one device; heap: bytes a step in
        our own code (ONNX Runtime's own: in the JSON); us: host time a launch; direct: every step is queued anew,
        where the other rows replay what recurs
        """;

    /** @param probes one for each contender, of which the first is to compare with; {@code queues} too, or none */
    static List<BenchRow> of(List<Contender> contenders, List<LoopProbe> probes, List<QueueRow> queues) {
        List<BenchRow> rows = new ArrayList<>();
        Spread base = contenders.getFirst().loopMillis();
        for (int i = 0; i < contenders.size(); i++) {
            Contender it = contenders.get(i);
            LoopProbe probe = probes.get(i);
            Spread wall = it.loopMillis();
            List<Likeness> likeness = Likeness.of(contenders.getFirst().pictures(), it.pictures());
            rows.add(new BenchRow(it.label(), it.spec(), it.devices(), wall.median(),
                wall.least(), wall.most(), base.median() / wall.median(), probe.criticalMillis(),
                probes.getFirst().criticalMillis() / probe.criticalMillis(),
                likeness.stream().mapToDouble(Likeness::decibels).average().orElseThrow(),
                likeness.stream().mapToDouble(Likeness::decibels).min().orElseThrow(),
                likeness.stream().mapToDouble(Likeness::similarity).average().orElseThrow(),
                likeness.stream().mapToDouble(Likeness::similarity).min().orElseThrow(),
                likeness.stream().mapToInt(Likeness::difference).max().orElseThrow(), likeness.size(),
                (int) likeness.stream().filter(pair -> pair.difference() == 0).count(), it.copiedBytes(),
                probe.weightBytes(), probe.heapBytesPerStep(), probe.runtimeHeapBytesPerStep(), probe.launchMicros(),
                probe.stageMillis(), queues.isEmpty() ? null : queues.get(i)));
        }
        return rows;
    }

    /** What is kept of it for who chooses plans. @param strategy of the plan */
    QualityTable.Row quality(QualityTable.Setting setting, String strategy) {
        return QualityTable.Row.ofToday(strategy, setting, pictures, psnrDb, psnrMinDb, ssim);
    }

    /** For a terminal of 120 columns. */
    static String table(List<BenchRow> rows) {
        Table table = new Table().left("plan").right("on").right("wall").right("range").right("x")
            .right("path").right("x").right("dB").right("worst").right("SSIM").right("diff")
            .right("copied").right("weights").right("heap").right("us");
        for (BenchRow row : rows) {
            table.row(row.plan(), row.devices().size(), Table.number("%.0f", row.wallMs()),
                Table.number("%.0f", row.wallMinMs()) + "-" + Table.number("%.0f", row.wallMaxMs()),
                Table.number("%.2f", row.speedup()), Table.number("%.0f", row.criticalMs()),
                Table.number("%.2f", row.criticalSpeedup()), decibels(row.psnrDb()), decibels(row.psnrMinDb()),
                Table.number("%.3f", row.ssim()), row.maxDiff(), megabytes(row.copiedBytes()),
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
}
