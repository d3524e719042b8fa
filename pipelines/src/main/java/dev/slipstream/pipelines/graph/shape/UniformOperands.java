package dev.slipstream.pipelines.graph.shape;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.graph.Nodes;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Shrinks large operands that are one value everywhere to a single element, where the other operands alone give the
 * result its shape. Then nobody has to fill a gigabyte with zeros to add it to something.
 */
final class UniformOperands {
    private static final Set<String> BROADCASTING = Set.of("Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Where",
        "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "And", "Or", "Xor");

    private final KnownValues known;
    private final Map<String, TensorProto> weights;

    /** @param weights where the single elements are put */
    UniformOperands(KnownValues known, Map<String, TensorProto> weights) {
        this.known = known;
        this.weights = weights;
    }

    NodeProto shrink(NodeProto node) {
        if (!Nodes.isStandard(node) || !BROADCASTING.contains(node.getOpType()) || !known.isKnown(node.getOutput(0))) {
            return node;
        }
        NodeProto.Builder shrunk = node.toBuilder();
        for (int i = 0; i < node.getInputCount(); i++) {
            Optional<Constant> large = known.constant(node.getInput(i))
                .filter(value -> value.isUniform() && !value.isSmall());
            if (large.isPresent() && othersGiveShape(shrunk, i)) {
                shrunk.setInput(i, single(node.getInput(i), large.get()));
            }
        }
        return shrunk.build();
    }

    private boolean othersGiveShape(NodeProto.Builder node, int operand) {
        Optional<long[]> dims = Optional.of(new long[0]);
        for (int i = 0; i < node.getInputCount(); i++) {
            if (i != operand) {
                long[] other = known.type(node.getInput(i)).dims();
                dims = dims.flatMap(sofar -> Dims.broadcast(sofar, other));
            }
        }
        Shape result = known.type(node.getOutput(0)).shape();
        return dims.filter(found -> Arrays.equals(found, result.toArray())).isPresent();
    }

    private String single(String tensor, Constant large) {
        String name = tensor + "/one_element";
        Constant element = Constant.of(large.type().withDims(1), new long[] {large.word(0)});
        weights.put(name, ConstantProtos.write(name, element));
        known.putConstant(name, element);
        return name;
    }
}
