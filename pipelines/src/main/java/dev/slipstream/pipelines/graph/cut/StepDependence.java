package dev.slipstream.pipelines.graph.cut;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.Nodes;
import java.util.HashSet;
import java.util.Set;

/**
 * Which tensors differ from one denoising step to the next because of the latents. All others (time embedding, keys and
 * values of the text, shapes) must never lag and can be worked out anywhere.
 *
 * <p>A shape does not change from step to step, so a node that asks only for it cuts the dependence.
 */
final class StepDependence {
    private static final Set<String> ONLY_THE_SHAPE = Set.of("Shape", "Size");
    /** Worked out twice, these would give two values. */
    private static final Set<String> RANDOM = Set.of("RandomNormal", "RandomNormalLike", "RandomUniform",
        "RandomUniformLike", "Bernoulli", "Multinomial");

    private final Set<String> changing = new HashSet<>();

    /** @throws GraphException if a name in {@code laggable} is no input of the graph */
    StepDependence(Graph graph, Set<String> laggable) {
        for (String input : laggable) {
            if (!graph.isInput(input)) {
                throw new GraphException("'" + input + "' is no input of the graph, which has "
                    + graph.inputs().stream().map(info -> "'" + info.getName() + "'").toList());
            }
        }
        changing.addAll(laggable);
        for (NodeProto node : graph.nodes()) {
            if (isRandom(node)
                || !asksOnlyForShape(node) && Nodes.reads(node).stream().anyMatch(changing::contains)) {
                changing.addAll(Nodes.writes(node));
            }
        }
    }

    boolean changes(String tensor) {
        return changing.contains(tensor);
    }

    boolean changes(NodeProto node) {
        return node.getOutputList().stream().anyMatch(changing::contains);
    }

    static boolean isRandom(NodeProto node) {
        return RANDOM.contains(node.getOpType());
    }

    static boolean asksOnlyForShape(NodeProto node) {
        return ONLY_THE_SHAPE.contains(node.getOpType()) && Nodes.isStandard(node) && node.getInputCount() == 1;
    }
}
