package dev.slipstream.pipelines.diffusion;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Lets a denoiser take fractional timesteps. Exporters trace it with a whole one and so declare the input int64, though
 * all that becomes of it is a cast to float32; a noise scheduler whose timesteps lie between (linspace spacing, Karras
 * sigmas) would be cut off. Whole timesteps give the same bits either way.
 */
final class FractionalTimesteps {
    /** Operators that hand elements on as they are, of any type. */
    private static final Set<String> MOVING =
        Set.of("Unsqueeze", "Squeeze", "Reshape", "Expand", "Identity", "Flatten");

    private FractionalTimesteps() {
    }

    /** The graph with a float32 timestep; the same graph if that is what it has, or if something needs a whole one. */
    static Graph allow(Graph graph, String timestep) {
        ValueInfoProto input = graph.inputs().stream().filter(it -> it.getName().equals(timestep)).findFirst()
            .orElseThrow();
        DataType type = InputTypes.element(input);
        Set<String> moved = new HashSet<>();
        if (type != DataType.INT64 && type != DataType.INT32 || !isOnlyCast(graph, timestep, moved)) {
            return graph;
        }
        ValueInfoProto.Builder changed = input.toBuilder();
        changed.getTypeBuilder().getTensorTypeBuilder().setElemType(TensorProto.DataType.FLOAT_VALUE);
        List<ValueInfoProto> inputs = graph.inputs().stream().map(it -> it == input ? changed.build() : it).toList();
        Map<String, TypeProto> types = new HashMap<>(graph.types());
        types.keySet().removeAll(moved);
        return graph.withInputs(inputs).withTypes(types);
    }

    /** Whether every way from a tensor leads to a cast to float32. Collects the tensors on the way. */
    private static boolean isOnlyCast(Graph graph, String tensor, Set<String> moved) {
        moved.add(tensor);
        boolean anOutput = graph.outputs().stream().anyMatch(output -> output.getName().equals(tensor));
        return !anOutput && graph.consumers(tensor).stream().allMatch(node -> isCast(node)
            || MOVING.contains(node.getOpType()) && node.getInput(0).equals(tensor)
                && isOnlyCast(graph, node.getOutput(0), moved));
    }

    private static boolean isCast(NodeProto node) {
        return node.getOpType().equals("Cast")
            && Nodes.integer(node, "to", 0) == TensorProto.DataType.FLOAT_VALUE;
    }
}
