package dev.slipstream.samples.bench;

import dev.slipstream.samples.Table;
import java.util.List;
import java.util.Locale;

/** The rows for a terminal of 120 columns. */
final class BenchTable {
    private static final String LEGEND = """
        w1, w3: warm-up steps; s2: stride 2; on: number of devices; wall: median of the loop and its range; x: speed-up
        over the first row; path: what the loop would take with a core for each device, from the processing times of
        its stages (needs a quiet machine where a device has 2 threads); dB: likeness to the first row's pictures, mean
        and worst; diff: largest difference of a pixel's channel; copied: between devices, a picture; weights: most on
        one device; heap: bytes a step in our own code (ONNX Runtime's own: in the JSON); us: host time a launch;
        direct: every step is queued anew, where the other rows replay what recurs
        """;

    private BenchTable() {
    }

    static String of(List<BenchRow> rows) {
        Table table = new Table().left("plan").right("on").right("wall ms").right("range").right("x")
            .right("path ms").right("x").right("dB").right("worst").right("diff").right("copied").right("weights")
            .right("heap").right("us");
        for (BenchRow row : rows) {
            table.row(row.plan(), row.devices().size(), number("%.0f", row.wallMs()),
                number("%.0f", row.wallMinMs()) + "-" + number("%.0f", row.wallMaxMs()),
                number("%.2f", row.speedup()), number("%.0f", row.criticalMs()),
                number("%.2f", row.criticalSpeedup()), decibels(row.psnrDb()), decibels(row.psnrMinDb()), row.maxDiff(),
                megabytes(row.copiedBytes()),
                megabytes(row.weightBytes().stream().mapToLong(Long::longValue).max().orElse(0)),
                Math.round(row.heapBytesPerStep()), number("%.1f", row.launchUs()));
        }
        return table + "\n" + LEGEND;
    }

    private static String decibels(double value) {
        return value >= Likeness.IDENTICAL ? "same" : number("%.1f", value);
    }

    private static String megabytes(long bytes) {
        return number("%.1fM", bytes / 1e6);
    }

    private static String number(String format, double value) {
        return String.format(Locale.ROOT, format, value);
    }
}
