package dev.slipstream.pipelines.graph.build;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.graph.GraphException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/**
 * A module of the network that is being written: its weights, and a method for each operator that it can use. Nodes are
 * named after it. Every method throws {@link GraphException}, naming the node and the shapes, where an operator cannot
 * take its inputs.
 */
public final class Scope {
    private static final Attributes NEAREST = Attributes.NONE.text("mode", "nearest")
        .text("coordinate_transformation_mode", "asymmetric").text("nearest_mode", "floor");

    private final GraphBuilder graph;
    private final String path;

    Scope(GraphBuilder graph, String path) {
        this.graph = graph;
        this.path = path;
    }

    /** @param name of a module inside this one, such as {@code conv1} or {@code resnets.0} */
    public Scope child(String name) {
        return new Scope(graph, path + "/" + name);
    }

    /** @param index of a module in the list {@code name} inside this one */
    public Scope child(String name, int index) {
        return child(name + "." + index);
    }

    /** Whether the checkpoint has such a weight of this module, for names that have changed over time. */
    public boolean has(String weight) {
        return graph.weights().has(fullName(weight));
    }

    /** How many dimensions a weight has in the checkpoint; empty if it is not there. */
    public OptionalInt rank(String weight) {
        return graph.weights().rank(fullName(weight));
    }

    /** A weight of this module as float32, however it is stored. @param shape what it must be in the checkpoint */
    public Value weight(String name, long... shape) {
        return view(name, shape, shape);
    }

    /** A weight with its elements arranged in another shape; nothing is copied. */
    public Value view(String name, long[] shape, long... view) {
        DataType stored = graph.weights().use(fullName(name), shape, view);
        return graph.float32(this, fullName(name), stored, Value.dims(view));
    }

    private String fullName(String weight) {
        return (path + "/" + weight).substring(1).replace('/', '.');
    }

    public Value integers(long... values) {
        return graph.constants().integers(values);
    }

    public Value scalar(double value) {
        return graph.constants().reals(List.of(), (float) value);
    }

    /** A list of numbers. */
    public Value reals(float... values) {
        return graph.constants().reals(Value.dims(values.length), values);
    }

    public Value add(Value x, Value y) {
        return broadcast("Add", x, y);
    }

    public Value sub(Value x, Value y) {
        return broadcast("Sub", x, y);
    }

    public Value mul(Value x, Value y) {
        return broadcast("Mul", x, y);
    }

    public Value div(Value x, Value y) {
        return broadcast("Div", x, y);
    }

    private Value broadcast(String operator, Value x, Value y) {
        return node(operator, List.of(x, y), Attributes.NONE, x.type(), ShapeCheck.broadcast(x.dims(), y.dims()));
    }

    /** An operator on single elements: {@code Sigmoid}, {@code Tanh}, {@code Erf}, {@code Exp}, {@code Sin}, ... */
    public Value map(String operator, Value x) {
        return node(operator, List.of(x), Attributes.NONE, x.type(), x.dims());
    }

    public Value cast(Value x, DataType type) {
        return node("Cast", List.of(x), Attributes.NONE.integer("to", OnnxTypes.code(type)), type, x.dims());
    }

    public Value matMul(Value x, Value y) {
        return node("MatMul", List.of(x, y), Attributes.NONE, x.type(), ShapeCheck.matMul(x.dims(), y.dims()));
    }

    /** {@code x · weightᵀ + bias} of matrices. @param weight [outputs, inputs], as checkpoints have it */
    public Value gemm(Value x, Value weight, Value bias) {
        return node("Gemm", List.of(x, weight, bias), Attributes.NONE.integer("transB", 1), x.type(),
            ShapeCheck.gemm(x.dims(), weight.dims()).filter(dims -> bias.dims().equals(dims.subList(1, 2))));
    }

    /** {@code factor · x · weightᵀ} of matrices. @param weight [outputs, inputs], as checkpoints have it */
    public Value gemm(Value x, Value weight, double factor) {
        return node("Gemm", List.of(x, weight), Attributes.NONE.integer("transB", 1).real("alpha", factor), x.type(),
            ShapeCheck.gemm(x.dims(), weight.dims()));
    }

    /** A convolution with the same padding on all sides. @param weight [outputs, inputs, height, width] */
    public Value conv(Value x, Value weight, Value bias, int stride, int pad) {
        return conv(x, weight, bias, stride, pad, pad);
    }

    /** @param before padding above and on the left, {@code after} below and on the right */
    public Value conv(Value x, Value weight, Value bias, int stride, int before, int after) {
        Attributes attributes = Attributes.NONE.integers("kernel_shape", weight.size(2), weight.size(3))
            .integers("strides", stride, stride).integers("pads", before, before, after, after);
        return node("Conv", List.of(x, weight, bias), attributes, x.type(),
            ShapeCheck.conv(x.dims(), weight.dims(), stride, before, after)
                .filter(dims -> bias.dims().equals(dims.subList(1, 2))));
    }

    public Value softmax(Value x) {
        return node("Softmax", List.of(x), Attributes.NONE.integer("axis", -1), x.type(), x.dims());
    }

    /** Normalises along the last axis. */
    public Value layerNorm(Value x, Value weight, Value bias, double epsilon) {
        List<Dim> last = x.dims().subList(x.rank() - 1, x.rank());
        return node("LayerNormalization", List.of(x, weight, bias),
            Attributes.NONE.integer("axis", -1).real("epsilon", epsilon), x.type(),
            Optional.of(x.dims()).filter(dims -> weight.dims().equals(last) && bias.dims().equals(last)));
    }

    /** Normalises each channel, axis 1, without a weight and a bias. */
    public Value instanceNorm(Value x, double epsilon) {
        int channels = Math.toIntExact(x.size(1));
        float[] ones = new float[channels];
        Arrays.fill(ones, 1);
        return node("InstanceNormalization", List.of(x, reals(ones), reals(new float[channels])),
            Attributes.NONE.real("epsilon", epsilon), x.type(), x.dims());
    }

    public Value transpose(Value x, int... order) {
        return node("Transpose", List.of(x),
            Attributes.NONE.integers("perm", Arrays.stream(order).asLongStream().toArray()), x.type(),
            ShapeCheck.isPermutation(x.rank(), order) ? Optional.of(ShapeCheck.transpose(x.dims(), order))
                : Optional.empty());
    }

    /** At most one open size may come to lie where it was not; else another tensor must tell the sizes. */
    public Value reshape(Value x, Dim... dims) {
        Optional<long[]> target = ShapeCheck.reshape(x.dims(), List.of(dims));
        if (target.isEmpty()) {
            throw refused("Reshape", x + " to " + List.of(dims));
        }
        return node("Reshape", List.of(x, integers(target.get())), Attributes.NONE, x.type(), List.of(dims));
    }

    public Value reshapeLike(Value x, Value like) {
        if (!Dim.product(x.dims()).equals(Dim.product(like.dims()))) {
            throw refused("Reshape", x + " to " + like.dims());
        }
        Value shape = node("Shape", List.of(like), Attributes.NONE, DataType.INT64, List.of(Dim.of(like.rank())));
        return node("Reshape", List.of(x, shape), Attributes.NONE, x.type(), like.dims());
    }

    /**
     * A reshape to {@code dims} whose first is that of another tensor.
     *
     * @param like its first size is open, and {@code dims} have at most one more that is
     */
    public Value reshapeRows(Value x, Value like, Dim... dims) {
        List<Dim> rest = List.of(dims).subList(1, dims.length);
        long[] target = rest.stream().mapToLong(dim -> dim.isKnown() ? dim.size() : -1).toArray();
        boolean fits = Dim.product(x.dims()).equals(Dim.product(List.of(dims))) && dims[0].equals(like.dim(0))
            && rest.stream().filter(dim -> !dim.isKnown()).count() <= 1;
        if (!fits) {
            throw refused("Reshape", x + " to " + List.of(dims) + " with the rows of " + like);
        }
        Value rows = node("Shape", List.of(like), Attributes.NONE.integer("end", 1), DataType.INT64, Value.dims(1));
        return node("Reshape", List.of(x, concat(0, rows, integers(target))), Attributes.NONE, x.type(),
            List.of(dims));
    }

    public Value concat(int axis, Value... parts) {
        int positive = axis < 0 ? axis + parts[0].rank() : axis;
        return node("Concat", List.of(parts), Attributes.NONE.integer("axis", axis), parts[0].type(),
            ShapeCheck.concat(Arrays.stream(parts).map(Value::dims).toList(), positive));
    }

    /** Equal parts along the last axis. */
    public List<Value> split(Value x, int parts) {
        Dim part = x.dim(-1).over(parts);
        if (!part.isKnown()) {
            throw refused("Split", x + " in " + parts);
        }
        long[] sizes = new long[parts];
        Arrays.fill(sizes, part.size());
        List<Dim> dims = ShapeCheck.with(x.dims(), x.rank() - 1, part);
        return nodes("Split", List.of(x, integers(sizes)), Attributes.NONE.integer("axis", -1),
            Collections.nCopies(parts, new Value("", x.type(), dims)));
    }

    /** Rows of a table. @param indices int64 */
    public Value gather(Value table, Value indices) {
        List<Dim> dims = new ArrayList<>(indices.dims());
        dims.addAll(table.dims().subList(1, table.rank()));
        if (indices.type() != DataType.INT64) {
            throw refused("Gather", indices + " as indices");
        }
        return node("Gather", List.of(table, indices), Attributes.NONE.integer("axis", 0), table.type(), dims);
    }

    /** Every pixel of an image [rows, channels, height, width] becomes {@code factor × factor} like it. */
    public Value enlarge(Value x, int factor) {
        List<Dim> dims = List.of(x.dim(0), x.dim(1), x.dim(2).times(factor), x.dim(3).times(factor));
        return node("Resize", List.of(x, Value.ABSENT, reals(1, 1, factor, factor)), NEAREST, x.type(), dims);
    }

    /**
     * An image [rows, channels, height, width] at the height and width of another, each pixel like the nearest above
     * and on the left; as {@link #enlarge} where that is a multiple.
     */
    public Value enlargeTo(Value x, Value like) {
        List<Dim> dims = List.of(x.dim(0), x.dim(1), like.dim(2), like.dim(3));
        Value outer = node("Shape", List.of(x), Attributes.NONE.integer("end", 2), DataType.INT64, Value.dims(2));
        Value inner = node("Shape", List.of(like), Attributes.NONE.integer("start", 2), DataType.INT64, Value.dims(2));
        return node("Resize", List.of(x, Value.ABSENT, Value.ABSENT, concat(0, outer, inner)), NEAREST, x.type(), dims);
    }

    /** Any other operator, with the type and shape that the caller says its output has. */
    public Value node(String operator, List<Value> inputs, Attributes attributes, DataType type, List<Dim> dims) {
        return nodes(operator, inputs, attributes, List.of(new Value("", type, dims))).getFirst();
    }

    /** An operator whose inputs must all have one type. @param dims empty if their shapes do not fit */
    private Value node(String operator, List<Value> inputs, Attributes attributes, DataType type,
        Optional<List<Dim>> dims) {
        if (dims.isEmpty() || inputs.stream().anyMatch(input -> input.type() != type)) {
            throw refused(operator, inputs.stream().map(Value::toString).collect(Collectors.joining(" and ")));
        }
        return node(operator, inputs, attributes, type, dims.get());
    }

    private List<Value> nodes(String operator, List<Value> inputs, Attributes attributes, List<Value> types) {
        String name = graph.nodeName(path, operator);
        List<Value> results = new ArrayList<>();
        for (Value type : types) {
            results.add(new Value(name + "_output_" + results.size(), type.type(), type.dims()));
        }
        graph.add(NodeProto.newBuilder().setName(name).setOpType(operator)
            .addAllInput(inputs.stream().map(Value::name).toList())
            .addAllOutput(results.stream().map(Value::name).toList())
            .addAllAttribute(attributes.protos()).build(), results);
        return results;
    }

    private GraphException refused(String operator, String what) {
        return new GraphException("node " + graph.nodeName(path, operator) + " (" + operator + ") cannot take " + what);
    }
}
