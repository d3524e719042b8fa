package dev.slipstream.pipelines.graph.build;

import dev.slipstream.pipelines.graph.Graph;
import java.util.List;

/**
 * A finished graph.
 *
 * @param graph its weights are external data: runs of bytes in the checkpoint's files
 * @param ignored tensors of the checkpoint that the graph does not use, in the checkpoint's order
 */
public record BuiltGraph(Graph graph, List<String> ignored) {
    public BuiltGraph {
        ignored = List.copyOf(ignored);
    }
}
