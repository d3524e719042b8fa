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
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Nodes and constants of a graph that is being rewritten. A node has the name of the tensor that it makes. */
final class Additions {
    /** From here on reductions take their axes as an input, except for two that did so earlier. */
    private static final long AXES_AS_INPUT = 18;
    /** From here on Split takes its sizes as an input. */
    private static final long SIZES_AS_INPUT = 13;

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

    /** A reduction along an axis that is then gone. */
    String reduceAway(String operator, String x, String output, long axis) {
        Attributes gone = Attributes.NONE.integer("keepdims", 0);
        return opset < AXES_AS_INPUT ? node(operator, output, gone.integers("axes", axis), x)
            : node(operator, output, gone, x, integers("axis-" + axis, axis));
    }

    /** Pieces along the first axis. @param sizes of the pieces */
    List<String> split(String x, List<Long> sizes, String name) {
        List<String> pieces = IntStream.range(0, sizes.size()).mapToObj(index -> name + "/" + index).toList();
        long[] lengths = sizes.stream().mapToLong(Long::longValue).toArray();
        NodeProto.Builder node = NodeProto.newBuilder().setName(name).setOpType("Split").addInput(x)
            .addAllOutput(pieces);
        if (opset < SIZES_AS_INPUT) {
            node.addAllAttribute(Attributes.NONE.integers("split", lengths).protos());
        } else {
            node.addInput(integers(name + "/sizes", lengths));
        }
        nodes.add(node.build());
        return pieces;
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

    /** The same number so many times, of type float32. */
    String filled(double value, long count) {
        String name = count + " times " + value;
        weights.computeIfAbsent(name, key -> TensorProto.newBuilder().setName(key).addDims(count)
            .setDataType(ElementType.FLOAT32.code()).addAllFloatData(Collections.nCopies(Math.toIntExact(count),
                (float) value)).build());
        return name;
    }

    /** Any number of integers. */
    String integers(String name, long... values) {
        weights.computeIfAbsent(name, key -> TensorProto.newBuilder().setName(key).addDims(values.length)
            .setDataType(ElementType.INT64.code()).addAllInt64Data(Arrays.stream(values).boxed().toList()).build());
        return name;
    }

    private String constant(String name, Constant constant) {
        weights.put(name, ConstantProtos.write(name, constant));
        return name;
    }
}
