package dev.slipstream.pipelines.graph.patch;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.graph.build.Attributes;
import dev.slipstream.pipelines.graph.tensor.Constant;
import dev.slipstream.pipelines.graph.tensor.ConstantProtos;
import dev.slipstream.pipelines.graph.tensor.ElementType;
import dev.slipstream.pipelines.graph.tensor.ValueType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Nodes and constants of a graph that is being rewritten. A node has the name of the tensor that it makes. */
final class Additions {
    /** From here on reductions take their axes as an input, except for two that did so earlier. */
    private static final long AXES_AS_INPUT = 18;

    private final long opset;
    private final List<NodeProto> nodes = new ArrayList<>();
    private final Map<String, TensorProto> weights;

    /** @param weights those that the graph has already */
    Additions(long opset, Map<String, TensorProto> weights) {
        this.opset = opset;
        this.weights = new LinkedHashMap<>(weights);
    }

    List<NodeProto> nodes() {
        return nodes;
    }

    Map<String, TensorProto> weights() {
        return weights;
    }

    void add(NodeProto node) {
        nodes.add(node);
    }

    String node(String operator, String output, Attributes attributes, String... inputs) {
        nodes.add(NodeProto.newBuilder().setName(output).setOpType(operator).addAllInput(List.of(inputs))
            .addOutput(output).addAllAttribute(attributes.protos()).build());
        return output;
    }

    String node(String operator, String output, String... inputs) {
        return node(operator, output, Attributes.NONE, inputs);
    }

    String slice(String x, int axis, long from, long to, String output) {
        return node("Slice", output, x, integers(output + "/from", from), integers(output + "/to", to),
            integers(output + "/axis", axis));
    }

    String concat(int axis, List<String> parts, String output) {
        return node("Concat", output, Attributes.NONE.integer("axis", axis), parts.toArray(String[]::new));
    }

    String reshape(String x, List<Long> dims, String output) {
        return node("Reshape", output, x,
            integers(output + "/shape", dims.stream().mapToLong(Long::longValue).toArray()));
    }

    String transpose(String x, String output, long... order) {
        return node("Transpose", output, Attributes.NONE.integers("perm", order), x);
    }

    String cast(String x, DataType type, String output) {
        return node("Cast", output, Attributes.NONE.integer("to", ElementType.of(type).code()), x);
    }

    /** A reduction that keeps the axes with size 1. */
    String reduce(String operator, String x, String output, long... axes) {
        return opset < AXES_AS_INPUT ? node(operator, output, Attributes.NONE.integers("axes", axes), x)
            : node(operator, output, x, integers(output + "/axes", axes));
    }

    /** A number without an axis, of type float32. */
    String number(String name, double value) {
        return constant(name, Constant.of(ValueType.of(ElementType.FLOAT32),
            new long[] {Double.doubleToRawLongBits(value)}));
    }

    /** The same of another type. */
    String number(String name, double value, DataType type) {
        return constant(name, Constant.of(ValueType.of(ElementType.of(type)),
            new long[] {Double.doubleToRawLongBits(value)}));
    }

    private String integers(String name, long... values) {
        return constant(name, Constant.of(ValueType.of(ElementType.INT64, values.length), values));
    }

    private String constant(String name, Constant constant) {
        weights.put(name, ConstantProtos.write(name, constant));
        return name;
    }
}
