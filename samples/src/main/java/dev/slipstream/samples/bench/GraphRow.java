package dev.slipstream.samples.bench;

import dev.slipstream.bridge.TensorType;
import dev.slipstream.samples.terminal.Table;
import java.util.List;
import java.util.Map;

/**
 * One graph of a denoiser. Its components, in snake case, are the keys of the JSON form.
 *
 * @param latents their height and width
 * @param graph whose it is, and in which {@link GraphBenchmark.Form}
 * @param nodes of the graph with its shapes fixed
 * @param optimized nodes that ONNX Runtime runs, by operator
 * @param callMs median time of a call; {@code busyMs} of processing by the thread that runs it
 * @param ratio of {@code callMs} to the exporter's graph as it is; likewise {@code busyRatio}
 */
record GraphRow(String model, String latents, String graph, int nodes, Map<String, Long> optimized, double callMs,
    double busyMs, double ratio, double busyRatio) {

    /** @param first the row to compare with, if this is not the first */
    static GraphRow of(String model, TensorType latents, GraphBenchmark.Form form, int nodes,
        Map<String, Long> optimized, double callMs, double busyMs, GraphRow first) {
        return new GraphRow(model, latents.shape().dim(2) + "x" + latents.shape().dim(3),
            form.toString(), nodes, optimized, callMs, busyMs, first == null ? 1 : callMs / first.callMs,
            first == null ? 1 : busyMs / first.busyMs);
    }

    long optimizedNodes() {
        return optimized.values().stream().mapToLong(Long::longValue).sum();
    }

    static String table(List<GraphRow> rows) {
        Table table = new Table().left("model").left("latents").left("graph").right("nodes").right("optimised")
            .right("ms a call").right("ratio").right("processing ms").right("ratio");
        rows.forEach(row -> table.row(row.model, row.latents, row.graph, Integer.toString(row.nodes),
            Long.toString(row.optimizedNodes()), Table.number("%.2f", row.callMs), Table.number("%.3f", row.ratio),
            Table.number("%.2f", row.busyMs), Table.number("%.3f", row.busyRatio)));
        return table.toString();
    }
}
