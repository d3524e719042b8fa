package dev.slipstream.pipelines.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.util.HashMap;
import java.util.Map;

/**
 * Element types of all tensors of a graph, by the rule that most operators give what their first input is. Numbers are
 * those of {@link DataType}.
 */
public final class ElementTypes {
    private final Map<String, Integer> types = new HashMap<>();

    public ElementTypes(Graph graph) {
        graph.weights().forEach((name, weight) -> types.put(name, weight.getDataType()));
        graph.types().forEach(this::put);
        graph.inputs().forEach(this::put);
        graph.outputs().forEach(this::put);
        for (NodeProto node : graph.nodes()) {
            for (String output : Nodes.writes(node)) {
                if (!types.containsKey(output)) {
                    types.put(output, ofOutput(node));
                }
            }
        }
    }

    /** Number of a tensor's element type; float32 for what the graph does not have. */
    public int of(String tensor) {
        return types.getOrDefault(tensor, DataType.FLOAT_VALUE);
    }

    private void put(ValueInfoProto info) {
        put(info.getName(), info.getType());
    }

    private void put(String tensor, TypeProto type) {
        if (type.getTensorType().getElemType() != DataType.UNDEFINED_VALUE) {
            types.put(tensor, type.getTensorType().getElemType());
        }
    }

    private int ofOutput(NodeProto node) {
        return switch (node.getOpType()) {
            case "Cast" -> (int) Nodes.integer(node, "to", DataType.FLOAT_VALUE);
            case "Shape", "Size", "NonZero", "ArgMax", "ArgMin" -> DataType.INT64_VALUE;
            case "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or", "Xor", "Not", "IsNaN",
                "IsInf" -> DataType.BOOL_VALUE;
            case "ConstantOfShape" -> Nodes.attribute(node, "value").map(AttributeProto::getT)
                .map(TensorProto::getDataType).orElse(DataType.FLOAT_VALUE);
            case "Where", "DequantizeLinear", "CastLike" -> input(node, 1);
            case "OneHot" -> input(node, 2);
            case "QuantizeLinear" -> node.getInputCount() > 2 ? input(node, 2) : DataType.UINT8_VALUE;
            default -> Nodes.isStandard(node) ? input(node, 0) : DataType.FLOAT_VALUE;
        };
    }

    private int input(NodeProto node, int index) {
        return node.getInputCount() > index ? of(node.getInput(index)) : DataType.FLOAT_VALUE;
    }
}
