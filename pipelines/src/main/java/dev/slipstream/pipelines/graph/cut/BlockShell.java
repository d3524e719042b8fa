package dev.slipstream.pipelines.graph.cut;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A division of a transformer into its shell, which are what comes before the blocks, the first of these and what comes
 * behind them, and the other blocks inside.
 */
public final class BlockShell {
    /** What comes behind the blocks. */
    private static final int BEHIND = Integer.MAX_VALUE;

    private final Graph graph;
    private final StepDependence dependence;
    /** How many blocks have begun where a node stands. */
    private final Map<NodeProto, Integer> places = new IdentityHashMap<>();
    private final Map<String, Integer> blocks = new LinkedHashMap<>();

    private BlockShell(Graph graph, Set<String> laggable) {
        this.graph = graph;
        this.dependence = new StepDependence(graph, laggable);
        graph.nodes().stream().filter(dependence::changes).forEach(node -> places.put(node, place(node)));
    }

    private int place(NodeProto node) {
        int before = Nodes.reads(node).stream().mapToInt(this::place).max().orElse(0);
        String module = ModulePath.of(node);
        Optional<String> block = ModulePath.numbered(module);
        if (block.isPresent()) {
            return Math.max(before, blocks.computeIfAbsent(block.get(), key -> blocks.size() + 1));
        }
        return module.isEmpty() || before == 0 ? before : BEHIND;
    }

    private int place(String tensor) {
        return graph.producer(tensor).map(maker -> places.getOrDefault(maker, 0)).orElse(0);
    }

    /**
     * The first component is the shell, the second what is inside.
     *
     * @param laggable inputs of the graph that change from step to step through the latents
     * @param depth how many blocks are in the shell: with 0 all are inside (MagCache), with 1 all but the first
     *     (first-block cache)
     * @throws GraphException if there are not so many blocks, or nothing behind them
     */
    public static Division of(Graph graph, Set<String> laggable, int depth) {
        return new BlockShell(graph, laggable).cut(depth);
    }

    private TensorCut cut(int depth) {
        if (blocks.size() <= 1 || depth >= blocks.size()) {
            throw new GraphException(blocks.size() <= 1 ? "this denoiser has no down_blocks and up_blocks and no "
                + "numbered blocks either, so it has no shell; name a cut of two components with cut=NAME"
                : "a shell of this denoiser has a depth of 0 to " + (blocks.size() - 1) + " blocks, not " + depth);
        }
        Set<String> entering = new LinkedHashSet<>();
        Set<String> leaving = new LinkedHashSet<>();
        places.forEach((node, place) -> Nodes.reads(node).stream()
            .filter(tensor -> dependence.changes(tensor) && graph.producer(tensor).isPresent()).forEach(tensor -> {
                boolean inside = isInside(place, depth);
                if (inside && place(tensor) <= depth) {
                    entering.add(tensor);
                } else if (!inside && isInside(place(tensor), depth)) {
                    leaving.add(tensor);
                }
            }));
        if (entering.isEmpty() || leaving.isEmpty()) {
            throw new GraphException("nothing is before or behind the blocks of this denoiser, so it has no shell; "
                + "name a cut of two components with cut=NAME");
        }
        List<String> in = inOrder(entering);
        return new TensorCut("shell-" + depth, List.of(in, inOrder(leaving)), List.of(0, 1, 0),
            Map.of(), residuals(in, leaving), List.of());
    }

    private static boolean isInside(int place, int depth) {
        return place > depth && place != BEHIND;
    }

    private List<String> inOrder(Set<String> tensors) {
        return graph.nodes().stream().flatMap(node -> Nodes.writes(node).stream()).filter(tensors::contains).toList();
    }

    /** What leaves the blocks is what entered, and what they added: the stream of the image, whose type stays. */
    private Map<String, String> residuals(List<String> entering, Set<String> leaving) {
        Map<String, TensorType> types = ValueInfos.types(graph);
        Map<String, String> residuals = new LinkedHashMap<>();
        leaving.forEach(out -> {
            List<String> alike = new ArrayList<>(entering.stream()
                .filter(in -> types.get(in) != null && types.get(in).equals(types.get(out))).toList());
            if (alike.size() > 1) {
                alike.removeIf(in -> !dependence.changes(source(in)));
            }
            if (alike.size() == 1) {
                residuals.put(out, alike.getFirst());
            }
        });
        return residuals;
    }

    /** Where a stream to which blocks only add comes from. */
    private String source(String tensor) {
        Optional<NodeProto> maker = graph.producer(tensor)
            .filter(node -> node.getOpType().equals("Add") && places.getOrDefault(node, 0) > 0);
        if (maker.isEmpty()) {
            return tensor;
        }
        List<String> operands = Nodes.reads(maker.get());
        return source(place(operands.getFirst()) <= place(operands.getLast()) ? operands.getFirst()
            : operands.getLast());
    }
}
