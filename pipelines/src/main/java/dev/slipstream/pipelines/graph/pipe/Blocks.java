package dev.slipstream.pipelines.graph.pipe;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.cut.ModulePath;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The blocks of a transformer and the parts that they are divided into: equally many consecutive blocks each, and the
 * last part what is left. What is before the first block is of the first part; what follows a block, such as the last
 * projection, is of the part of that block.
 */
final class Blocks {
    private final TokenFlow flow;
    private final Map<NodeProto, Integer> blocks = new IdentityHashMap<>();
    private final int each;

    /** @throws GraphException if there are too few blocks, or they do not follow each other */
    Blocks(TokenFlow flow, int parts) {
        this.flow = flow;
        Map<String, Integer> numbers = new LinkedHashMap<>();
        for (NodeProto node : flow.graph().nodes()) {
            if (flow.changes(node)) {
                int before = Nodes.reads(node).stream().flatMap(tensor -> flow.graph().producer(tensor).stream())
                    .mapToInt(maker -> blocks.getOrDefault(maker, 0)).max().orElse(0);
                Optional<String> module = ModulePath.numbered(ModulePath.of(node));
                int own = module.map(it -> numbers.computeIfAbsent(it, key -> numbers.size())).orElse(before);
                if (own < before) {
                    throw new GraphException("node " + Nodes.label(node) + " reads what a later block than its own "
                        + "makes, so that the blocks cannot be divided into parts");
                }
                blocks.put(node, own);
            }
        }
        this.each = Math.ceilDiv(Math.max(1, numbers.size()), parts);
        if (Math.ceilDiv(numbers.size(), each) != parts) {
            throw new GraphException("a transformer of " + numbers.size() + " blocks (" + numbers.keySet()
                + ") cannot be divided into " + parts + " parts of " + each + " blocks and what is left");
        }
    }

    /** Of a node that depends on the latents. */
    int part(NodeProto node) {
        return block(node) / each;
    }

    private int block(NodeProto node) {
        return blocks.getOrDefault(node, 0);
    }

    /** Of a tensor that depends on the latents; the latents themselves are of the first. */
    int part(String tensor) {
        return flow.graph().producer(tensor).map(this::part).orElse(0);
    }

    /** Whether another part reads a tensor. */
    boolean leaves(String tensor) {
        return flow.graph().producer(tensor).isPresent() && readers(tensor).stream()
            .anyMatch(reader -> part(reader) != part(tensor));
    }

    /** Whether it is the text as another block reads it. */
    boolean isText(String tensor) {
        return flow.layout(tensor).isEmpty() && flow.graph().producer(tensor).stream().anyMatch(maker ->
            readers(tensor).stream().anyMatch(reader -> block(reader) != block(maker)));
    }

    private List<NodeProto> readers(String tensor) {
        return flow.graph().consumers(tensor);
    }
}
