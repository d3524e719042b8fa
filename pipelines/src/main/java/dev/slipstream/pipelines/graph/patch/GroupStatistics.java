package dev.slipstream.pipelines.graph.patch;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.build.Attributes;
import dev.slipstream.pipelines.graph.tensor.ConstantProtos;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * A group norm, written out: what it normalises [rows, groups, elements of a group], mean and mean square of a group
 * [rows, groups, 2], and the norm with given ones. All in float32.
 */
final class GroupStatistics {
    /** What they are called among the tensors that patches exchange. */
    static final String NAME = "statistics";
    private static final long CHANNEL_WEIGHTS = 21;

    private final Graph graph;
    private final Additions additions;
    private final NodeProto norm;
    private final TensorType type;
    private final String name;
    private final long groups;

    /** @param type of what the norm reads */
    GroupStatistics(Graph graph, Additions additions, NodeProto norm, TensorType type) {
        this.graph = graph;
        this.additions = additions;
        this.norm = norm;
        this.type = type;
        this.name = Sites.name(norm);
        this.groups = norm.getOpType().equals("InstanceNormalization") ? type.shape().dim(1)
            : Nodes.integer(norm, "num_groups", 1);
    }

    long groups() {
        return groups;
    }

    private long rows() {
        return type.shape().dim(0);
    }

    /** Elements of a group. */
    long elements() {
        return type.shape().elements() / rows() / groups;
    }

    List<Long> statisticsDims() {
        return List.of(rows(), groups, 2L);
    }

    /** What the norm reads, group by group. */
    String grouped() {
        String wide = norm.getInput(0);
        if (type.type() != DataType.FLOAT32) {
            wide = additions.cast(wide, DataType.FLOAT32, name + ":wide");
        }
        List<Long> dims = List.of(rows(), groups, elements());
        return dims(type).equals(dims) ? wide : additions.reshape(wide, dims, name + ":grouped");
    }

    private static List<Long> dims(TensorType type) {
        return Arrays.stream(type.shape().toArray()).boxed().toList();
    }

    /** Mean and mean square. @param output how they are called */
    String measure(String grouped, String output) {
        return side(2, additions.reduce("ReduceMean", grouped, output + ":mean", 2), square(grouped, elements(), output,
            2), output);
    }

    /** Those of each patch, [rows, groups, patches, 2]. @param apart what is normalised as [.., patches, elements] */
    String measureEach(String apart, long elements, int patches, String output) {
        List<Long> dims = List.of(rows(), groups, (long) patches, 1L);
        String mean = additions.reduce("ReduceMean", apart, output + ":means", 2, 4);
        return side(3, additions.reshape(mean, dims, output + ":mean"),
            additions.reshape(square(apart, elements, output, 2, 4), dims, output + ":mean_square"), output);
    }

    private String square(String x, long elements, String output, long... axes) {
        return additions.node("Mul", output + ":square", additions.reduce("ReduceSumSquare", x, output + ":sum", axes),
            additions.number(output + ":share", 1.0 / elements));
    }

    private String side(int axis, String mean, String square, String output) {
        return additions.concat(axis, List.of(mean, square), output);
    }

    /** The mean of several statistics. */
    String mean(List<String> statistics) {
        return additions.node("Mul", name + ":mean",
            additions.node("Sum", name + ":sum", statistics.toArray(String[]::new)),
            additions.number(name + ":patches", 1.0 / statistics.size()));
    }

    /** What has changed in one's own statistics is added. */
    String corrected(String mean, String own, String former) {
        return additions.node("Add", name + ":corrected", mean,
            additions.node("Sub", name + ":change", own, former));
    }

    /**
     * Adds the norm with these statistics; it makes the tensor that the norm made.
     *
     * @param fallback statistics whose variance is taken where that of the others is negative
     * @param factor of the variance
     */
    void normalize(String grouped, String statistics, Optional<String> fallback, double factor) {
        String mean = additions.slice(statistics, 2, 0, 1, name + ":expected");
        String variance = variance(statistics, mean, "");
        if (fallback.isPresent()) {
            String own = variance(fallback.get(), additions.slice(fallback.get(), 2, 0, 1, name + ":own_mean"), "own_");
            String negative = additions.node("Less", name + ":negative", variance,
                additions.number(name + ":zero", 0));
            variance = additions.node("Where", name + ":usable", negative, own, variance);
        }
        if (factor != 1) {
            variance = additions.node("Mul", name + ":unbiased", variance, additions.number(name + ":factor", factor));
        }
        String deviation = additions.node("Sqrt", name + ":deviation", additions.node("Add", name + ":shifted",
            variance, additions.number(name + ":epsilon", Nodes.attribute(norm, "epsilon").map(it -> it.getF())
                .orElse(1e-5f))));
        String normal = additions.node("Mul", name + ":scaled",
            additions.node("Sub", name + ":centred", grouped, mean),
            additions.node("Reciprocal", name + ":inverse", deviation));
        finish(normal);
    }

    private String variance(String statistics, String mean, String prefix) {
        return additions.node("Sub", name + ":" + prefix + "variance",
            additions.slice(statistics, 2, 1, 2, name + ":" + prefix + "mean_square"),
            additions.node("Mul", name + ":" + prefix + "squared_mean", mean, mean));
    }

    private void finish(String normal) {
        // Before operator set 21, GroupNormalization had one weight a group, too.
        boolean perGroup = norm.getOpType().equals("InstanceNormalization") || graph.opset() < CHANNEL_WEIGHTS;
        List<Long> dims = dims(type);
        String shaped = perGroup || dims.equals(List.of(rows(), groups, elements())) ? normal
            : additions.reshape(normal, dims, name + ":shaped");
        String weighted = weighted("Mul", 1, 1, shaped, perGroup);
        String biased = weighted("Add", 2, 0, weighted, perGroup);
        String formed = perGroup && dims.size() != 3 ? additions.reshape(biased, dims, name + ":formed") : biased;
        if (type.type() == DataType.FLOAT32) {
            additions.node("Identity", norm.getOutput(0), formed);
        } else {
            additions.cast(formed, type.type(), norm.getOutput(0));
        }
    }

    /** @param nothing the value with which it does nothing */
    private String weighted(String operator, int input, double nothing, String x, boolean perGroup) {
        String weight = norm.getInputCount() > input ? norm.getInput(input) : "";
        if (weight.isEmpty() || isAll(weight, nothing)) {
            return x;
        }
        List<Long> dims = new ArrayList<>(List.of(1L, -1L));
        IntStream.range(2, perGroup ? 3 : type.shape().rank()).forEach(axis -> dims.add(1L));
        String wide = type.type() == DataType.FLOAT32 ? weight
            : additions.cast(weight, DataType.FLOAT32, name + ":wide_" + operator);
        return additions.node(operator, name + ":" + operator, Attributes.NONE, x,
            additions.reshape(wide, dims, name + ":" + operator + "_operand"));
    }

    private boolean isAll(String weight, double value) {
        TensorProto stored = graph.weights().get(weight);
        return stored != null && ConstantProtos.read(stored).filter(constant -> constant.type().element().isReal())
            .filter(constant -> Arrays.stream(constant.reals()).allMatch(it -> it == value)).isPresent();
    }
}
