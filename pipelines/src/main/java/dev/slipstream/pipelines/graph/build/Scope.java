package dev.slipstream.pipelines.graph.build;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.tensor.ElementType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

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
    private final String home;

    Scope(GraphBuilder graph, String path) {
        this(graph, path, "");
    }

    /** @param home what names of nodes begin with, before the path */
    private Scope(GraphBuilder graph, String path, String home) {
        this.graph = graph;
        this.path = path;
        this.home = home;
    }

    /** The same module with the same weights once more: its nodes are those of another module. */
    public Scope again(String other) {
        return new Scope(graph, path, "/" + other);
    }

    /** @param name of a module inside this one, such as {@code conv1} or {@code resnets.0} */
    public Scope child(String name) {
        return new Scope(graph, path + "/" + name, home);
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

    /** The first dimension of a weight in the checkpoint; 0 if it has none of the name. */
    public int rows(String weight) {
        return graph.weights().rows(fullName(weight));
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

    /** A number without an axis, int64. */
    public Value integer(long value) {
        return graph.constants().integer(value);
    }

    /** A list of numbers. */
    public Value reals(float... values) {
        return graph.constants().reals(Value.dims(values.length), values);
    }

    /** A matrix of numbers, row by row. */
    public Value matrix(int rows, int columns, float... values) {
        return graph.constants().reals(Value.dims(rows, columns), values);
    }

    /** A list of the same number. */
    public Value filled(double value, int count) {
        return graph.constants().filled((float) value, count);
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

    public Value min(Value x, Value y) {
        return broadcast("Min", x, y);
    }

    public Value max(Value x, Value y) {
        return broadcast("Max", x, y);
    }

    private Value broadcast(String operator, Value x, Value y) {
        return node(operator, List.of(x, y), Attributes.NONE, x.type(), Dim.broadcast(x.dims(), y.dims()));
    }

    /** An operator on single elements: {@code Sigmoid}, {@code Tanh}, {@code Erf}, {@code Exp}, {@code Sin}, ... */
    public Value map(String operator, Value x) {
        return node(operator, List.of(x), Attributes.NONE, x.type(), x.dims());
    }

    public Value cast(Value x, DataType type) {
        return node("Cast", List.of(x), Attributes.NONE.integer("to", ElementType.of(type).code()), type, x.dims());
    }

    public Value matMul(Value x, Value y) {
        return node("MatMul", List.of(x, y), Attributes.NONE, x.type(), Dim.matMul(x.dims(), y.dims()));
    }

    /** {@code x · weightᵀ + bias} of matrices. @param weight [outputs, inputs], as checkpoints have it */
    public Value gemm(Value x, Value weight, Value bias) {
        return node("Gemm", List.of(x, weight, bias), Attributes.NONE.integer("transB", 1), x.type(),
            Dim.gemm(x.dims(), weight.dims()).filter(dims -> bias.dims().equals(dims.subList(1, 2))));
    }

    /** {@code factor · (x · weightᵀ + bias)} of matrices. @param weight [outputs, inputs], as stored */
    public Value gemm(Value x, Value weight, Value bias, double factor) {
        return node("Gemm", List.of(x, weight, bias), Attributes.NONE.integer("transB", 1).real("alpha", factor)
            .real("beta", factor), x.type(), Dim.gemm(x.dims(), weight.dims())
                .filter(dims -> bias.dims().equals(dims.subList(1, 2))));
    }

    /** {@code factor · x · weightᵀ} of matrices. @param weight [outputs, inputs], as checkpoints have it */
    public Value gemm(Value x, Value weight, double factor) {
        return node("Gemm", List.of(x, weight), Attributes.NONE.integer("transB", 1).real("alpha", factor), x.type(),
            Dim.gemm(x.dims(), weight.dims()));
    }

    /** A convolution with the same padding on all sides. @param weight [outputs, inputs, height, width] */
    public Value conv(Value x, Value weight, Value bias, int stride, int pad) {
        return conv(x, weight, bias, stride, pad, pad);
    }

    /** @param before padding above and on the left, {@code after} below and on the right */
    public Value conv(Value x, Value weight, Value bias, int stride, int before, int after) {
        return conv(List.of(x, weight, bias), stride, before, after);
    }

    /** A convolution without a bias. */
    public Value conv(Value x, Value weight, int stride, int pad) {
        return conv(List.of(x, weight), stride, pad, pad);
    }

    /** @param inputs of the node: image, weight, and the bias if there is one */
    private Value conv(List<Value> inputs, int stride, int before, int after) {
        Value x = inputs.get(0);
        Value weight = inputs.get(1);
        Attributes attributes = Attributes.NONE.integers("kernel_shape", weight.size(2), weight.size(3))
            .integers("strides", stride, stride).integers("pads", before, before, after, after);
        return node("Conv", inputs, attributes, x.type(),
            Dim.conv(x.dims(), weight.dims(), stride, before, after).filter(dims -> inputs.stream().skip(2)
                .allMatch(bias -> bias.dims().equals(dims.subList(1, 2)))));
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
        return node("InstanceNormalization", List.of(x, filled(1, channels), filled(0, channels)),
            Attributes.NONE.real("epsilon", epsilon), x.type(), x.dims());
    }

    public Value transpose(Value x, int... order) {
        return node("Transpose", List.of(x),
            Attributes.NONE.integers("perm", Arrays.stream(order).asLongStream().toArray()), x.type(),
            Dim.isPermutation(x.rank(), order) ? Optional.of(Dim.transpose(x.dims(), order))
                : Optional.empty());
    }

    /** At most one open size may come to lie where it was not; else another tensor must tell the sizes. */
    public Value reshape(Value x, Dim... dims) {
        Optional<long[]> target = Dim.reshape(x.dims(), List.of(dims));
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
     * A reshape that takes sizes which are open, and do not stay where they are, from other tensors that have them.
     *
     * @param sizes the tensors; one of the open sizes may be that of none of them
     */
    public Value reshape(Value x, List<Value> sizes, Dim... dims) {
        List<Dim> wanted = List.of(dims);
        int inferred = inferred(wanted, sizes);
        boolean fits = Dim.product(x.dims()).equals(Dim.product(wanted)) && IntStream.range(0, dims.length)
            .allMatch(axis -> axis == inferred || dims[axis].isKnown() || has(sizes, dims[axis]));
        if (!fits) {
            throw refused("Reshape", x + " to " + wanted + " with the sizes of " + sizes);
        }
        List<Value> parts = new ArrayList<>();
        List<Long> numbers = new ArrayList<>();
        for (int axis = 0; axis < dims.length; axis++) {
            if (axis == inferred || dims[axis].isKnown()) {
                numbers.add(axis == inferred ? -1 : dims[axis].size());
            } else {
                if (!numbers.isEmpty()) {
                    parts.add(integers(numbers.stream().mapToLong(Long::longValue).toArray()));
                    numbers.clear();
                }
                parts.add(size(sizes, dims[axis]));
            }
        }
        if (!numbers.isEmpty()) {
            parts.add(integers(numbers.stream().mapToLong(Long::longValue).toArray()));
        }
        Value shape = parts.size() == 1 ? parts.getFirst() : concat(0, parts.toArray(Value[]::new));
        return node("Reshape", List.of(x, shape), Attributes.NONE, x.type(), wanted);
    }

    /**
     * The place of the size that Reshape works out itself: one that no tensor has, else the last open one; -1 if none.
     */
    private static int inferred(List<Dim> dims, List<Value> sizes) {
        int inferred = -1;
        for (int axis = 0; axis < dims.size(); axis++) {
            if (!dims.get(axis).isKnown() && (inferred < 0 || has(sizes, dims.get(inferred)))) {
                inferred = axis;
            }
        }
        return inferred;
    }

    private static boolean has(List<Value> tensors, Dim size) {
        return tensors.stream().anyMatch(tensor -> tensor.dims().contains(size));
    }

    private Value size(List<Value> tensors, Dim size) {
        Value tensor = tensors.stream().filter(it -> it.dims().contains(size)).findFirst().orElseThrow();
        return size(tensor, tensor.dims().indexOf(size));
    }

    /** The size of a tensor along an axis, int64[1]. */
    public Value size(Value x, int axis) {
        Attributes range = axis == 0 ? Attributes.NONE : Attributes.NONE.integer("start", axis);
        return node("Shape", List.of(x), range.integer("end", axis + 1L), DataType.INT64, Value.dims(1));
    }

    public Value concat(int axis, Value... parts) {
        int positive = axis < 0 ? axis + parts[0].rank() : axis;
        return node("Concat", List.of(parts), Attributes.NONE.integer("axis", axis), parts[0].type(),
            Dim.concat(Arrays.stream(parts).map(Value::dims).toList(), positive));
    }

    /** Equal parts along the last axis. */
    public List<Value> split(Value x, int parts) {
        Dim part = x.dim(-1).over(parts);
        if (!part.isKnown()) {
            throw refused("Split", x + " in " + parts);
        }
        long[] sizes = new long[parts];
        Arrays.fill(sizes, part.size());
        List<Dim> dims = Dim.with(x.dims(), x.rank() - 1, part);
        return nodes("Split", List.of(x, integers(sizes)), Attributes.NONE.integer("axis", -1),
            Collections.nCopies(parts, new Value("", x.type(), dims)));
    }

    /** Parts along an axis, each as long there as one of these tensors; what was concatenated before. */
    public List<Value> split(Value x, int axis, List<Value> like) {
        Dim whole = Dim.concat(like.stream().map(value -> List.of(value.dim(axis))).toList(), 0)
            .map(List::getFirst).orElseThrow();
        if (!whole.equals(x.dim(axis))) {
            throw refused("Split", x + " along " + axis + " as " + like);
        }
        Value sizes = concat(0, like.stream().map(value -> size(value, axis)).toArray(Value[]::new));
        return nodes("Split", List.of(x, sizes), Attributes.NONE.integer("axis", axis), like.stream()
            .map(value -> new Value("", x.type(), Dim.with(x.dims(), axis, value.dim(axis)))).toList());
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
        String name = graph.nodeName(home + path, operator);
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
        return new GraphException("node " + graph.nodeName(home + path, operator) + " (" + operator + ") cannot take "
            + what);
    }
}
