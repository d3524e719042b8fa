package dev.slipstream.pipelines.graph.precision;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.Nodes;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;

/**
 * Names of the nodes and tensors that casts add. A node's name says in which module it is, and so where cuts put it.
 */
final class CastNames {
    private final Graph graph;
    private final Set<String> taken = new HashSet<>();

    CastNames(Graph graph) {
        this.graph = graph;
        taken.addAll(graph.weights().keySet());
        graph.inputs().forEach(input -> taken.add(input.getName()));
        graph.nodes().forEach(node -> taken.addAll(Nodes.writes(node)));
    }

    /** A new name for a version of a tensor. */
    String tensor(String tensor, int type) {
        String name = tensor + "_" + suffix(type);
        while (!taken.add(name)) {
            name += "_";
        }
        return name;
    }

    /** The name of a Cast that belongs where the tensor is made: what leaves the module is the cast value. */
    String where(String tensor, int type) {
        return graph.producer(tensor).map(CastNames::module)
            .map(module -> module + "Cast_" + tensor.substring(tensor.lastIndexOf('/') + 1) + "_" + suffix(type))
            .orElseGet(() -> everywhere(tensor, type));
    }

    /** The name of a Cast in no module: it is repeated where its result is read, and what it reads goes there. */
    String everywhere(String tensor, int type) {
        return "/Cast_" + tensor.replace('/', '.') + "_" + suffix(type);
    }

    /** The node's name up to its own part, with the last slash; see {@link dev.slipstream.pipelines.graph.Cut}. */
    private static String module(NodeProto node) {
        String name = node.getName().indexOf('/') >= 0 ? node.getName() : node.getOutput(0);
        return name.indexOf('/') < 0 ? "/" : name.substring(0, name.lastIndexOf('/') + 1);
    }

    private static String suffix(int type) {
        return type == DataType.FLOAT_VALUE ? "float32" : DataType.forNumber(type).name().toLowerCase(Locale.ROOT);
    }

    static NodeProto cast(String name, String from, String to, int type) {
        return NodeProto.newBuilder().setName(name).setOpType("Cast").addInput(from).addOutput(to)
            .addAttribute(AttributeProto.newBuilder().setName("to").setType(AttributeProto.AttributeType.INT)
                .setI(type)).build();
    }
}
