package dev.slipstream.pipelines.graph.pipe;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.cut.ModulePath;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The blocks of a transformer and the parts that they are divided into: equally many consecutive blocks each, and the
 * last part what is left. What is before the first block is of the first part, and what follows the last one, such as
 * the last projection, is of the last part, even if that has no block.
 */
final class Blocks {
    private static final Set<String> LINEAR = Set.of("Gemm", "MatMul");
    /** The number of what is before the first block. */
    private static final int FRONT = -1;

    private final TokenFlow flow;
    private final Map<NodeProto, Integer> blocks = new IdentityHashMap<>();
    private final int count;
    private final int parts;
    private final int each;

    /** @throws GraphException if there are too few blocks, or they do not follow each other */
    Blocks(TokenFlow flow, int parts) {
        this.flow = flow;
        Map<String, Integer> numbers = new LinkedHashMap<>();
        List<NodeProto> between = new ArrayList<>();
        for (NodeProto node : flow.graph().nodes()) {
            if (flow.changes(node)) {
                int before = Nodes.reads(node).stream().flatMap(tensor -> flow.graph().producer(tensor).stream())
                    .mapToInt(this::block).max().orElse(FRONT);
                Optional<String> module = ModulePath.numbered(ModulePath.of(node));
                int own = module.map(it -> numbers.computeIfAbsent(it, key -> numbers.size())).orElse(before);
                if (own < before) {
                    throw new GraphException("node " + Nodes.label(node) + " reads what a later block than its own "
                        + "makes, so that the blocks cannot be divided into parts");
                }
                blocks.put(node, own);
                if (module.isEmpty()) {
                    between.add(node);
                }
            }
        }
        this.count = numbers.size();
        this.parts = parts;
        this.each = Math.ceilDiv(Math.max(1, count), parts);
        if (count <= each * (parts - 2) || count == 0) {
            throw new GraphException("a transformer of " + count + " blocks (" + numbers.keySet()
                + ") cannot be divided into " + parts + " parts of " + each + " blocks and what is left");
        }
        between.stream().filter(node -> block(node) == count - 1).forEach(node -> blocks.put(node, count));
    }

    /** Of a node that depends on the latents. */
    int part(NodeProto node) {
        return block(node) == count ? parts - 1 : Math.max(0, block(node)) / each;
    }

    private int block(NodeProto node) {
        return blocks.getOrDefault(node, FRONT);
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

    /** Whether text and picture are one stream in some blocks: they have layers in common. */
    boolean haveOneStream() {
        return blocks.keySet().stream().anyMatch(node -> LINEAR.contains(node.getOpType())
            && !flow.changes(node.getInput(1))
            && flow.layout(node.getInput(0)).filter(layout -> !layout.isPicture()).isPresent());
    }

    private List<NodeProto> readers(String tensor) {
        return flow.graph().consumers(tensor);
    }
}
