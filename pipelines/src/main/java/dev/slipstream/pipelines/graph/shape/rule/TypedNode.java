package dev.slipstream.pipelines.graph.shape.rule;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.tensor.Constant;
import dev.slipstream.pipelines.graph.tensor.Dims;
import dev.slipstream.pipelines.graph.tensor.ElementType;
import dev.slipstream.pipelines.graph.tensor.ValueType;
import java.util.Arrays;
import java.util.Optional;

/** A node as a rule sees it: its attributes, the types of its inputs, and the values of those that are constant. */
public final class TypedNode {
    private final NodeProto proto;
    private final KnownValues known;

    public TypedNode(NodeProto proto, KnownValues known) {
        this.proto = proto;
        this.known = known;
    }

    public NodeProto proto() {
        return proto;
    }

    public int inputs() {
        return proto.getInputCount();
    }

    /** Whether an optional input is given. */
    public boolean has(int input) {
        return input < proto.getInputCount() && !proto.getInput(input).isEmpty();
    }

    private String input(int index) {
        if (!has(index)) {
            throw invalid("input " + index + " is missing");
        }
        return proto.getInput(index);
    }

    /** @throws UnknownTypeException if nothing is known about the tensor */
    public ValueType type(int input) {
        return known.type(input(input));
    }

    public ElementType element(int input) {
        return type(input).element();
    }

    public long[] dims(int input) {
        return type(input).dims();
    }

    public int rank(int input) {
        return type(input).shape().rank();
    }

    public Optional<Constant> constant(int input) {
        return has(input) ? known.constant(proto.getInput(input)) : Optional.empty();
    }

    /** Values of an input on which the output's shape depends. @throws UnknownTypeException if they are not constant */
    public Constant required(int input) {
        return constant(input).orElseThrow(() -> unknown("its shape depends on the values of '" + input(input)
            + "', which are not known before the graph runs"));
    }

    /** Values of an integer input on which the output's shape depends. */
    public long[] integers(int input) {
        Constant constant = required(input);
        if (constant.type().element().isReal() || !constant.isSmall()) {
            throw invalid("input '" + input(input) + "' must be a short list of integers, not " + constant.type());
        }
        return constant.integers();
    }

    /** Integers that older operator sets keep in an attribute and newer ones in an input; empty if in neither. */
    public Optional<long[]> integers(int input, String attribute) {
        return has(input) ? Optional.of(integers(input)) : integers(attribute);
    }

    public long integer(String name, long otherwise) {
        return Nodes.integer(proto, name, otherwise);
    }

    public Optional<long[]> integers(String name) {
        return attribute(name).map(found -> found.getIntsList().stream().mapToLong(Long::longValue).toArray());
    }

    public boolean flag(String name) {
        return integer(name, 0) != 0;
    }

    public String string(String name, String otherwise) {
        return attribute(name).map(found -> found.getS().toStringUtf8()).orElse(otherwise);
    }

    public Optional<TensorProto> tensor(String name) {
        return attribute(name).map(AttributeProto::getT);
    }

    public Optional<AttributeProto> attribute(String name) {
        return Nodes.attribute(proto, name);
    }

    /** The element type that an attribute names by its number. */
    public ElementType elementType(String attribute, ElementType otherwise) {
        long code = integer(attribute, otherwise.code());
        return ElementType.ofCode((int) code).orElseThrow(() -> unknown("element type " + code + " is not handled"));
    }

    /** An axis from 0 up, checked. @param rank number of dimensions that it counts */
    public int axis(long axis, int rank) {
        long positive = axis < 0 ? axis + rank : axis;
        if (positive < 0 || positive >= rank) {
            throw invalid("axis " + axis + " is not one of " + rank + " dimensions");
        }
        return (int) positive;
    }

    public int[] axes(long[] axes, int rank) {
        return Arrays.stream(axes).mapToInt(axis -> axis(axis, rank)).toArray();
    }

    /** What two inputs' dimensions broadcast to. */
    public long[] broadcast(long[] left, long[] right) {
        return Dims.broadcast(left, right).orElseThrow(() ->
            invalid("shapes " + Arrays.toString(left) + " and " + Arrays.toString(right) + " do not broadcast"));
    }

    public GraphException invalid(String why) {
        return new GraphException(toString() + ": " + why);
    }

    public UnknownTypeException unknown(String why) {
        return new UnknownTypeException(toString() + ": " + why);
    }

    @Override
    public String toString() {
        return "node " + Nodes.label(proto) + " (" + proto.getOpType() + ")";
    }
}
