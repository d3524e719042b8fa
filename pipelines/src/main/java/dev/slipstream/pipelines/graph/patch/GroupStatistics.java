package dev.slipstream.pipelines.graph.patch;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.build.Attributes;
import dev.slipstream.pipelines.graph.fusion.GroupNorm;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.LongUnaryOperator;
import java.util.stream.IntStream;

/**
 * A group norm, written out: the moments of what it normalises, and the norm with given ones. All in float32.
 *
 * <p>Nodes cost time by themselves where pictures are small, so they are few: a norm with given moments is a
 * BatchNormalization, of which each channel of each row is a channel.
 */
final class GroupStatistics {
    /** What they are called among the tensors that patches exchange. */
    static final String NAME = "statistics";

    private final Additions additions;
    private final GroupNorm norm;
    private final String name;
    private String wide;

    GroupStatistics(Additions additions, GroupNorm norm) {
        this.additions = additions;
        this.norm = norm;
        this.name = Sites.name(norm.norm());
    }

    private TensorType type() {
        return norm.type();
    }

    private long rows() {
        return type().shape().dim(0);
    }

    private long channels() {
        return type().shape().dim(1);
    }

    /** How many means there are: one for each group of each row. */
    static long size(GroupNorm norm) {
        return norm.type().shape().dim(0) * norm.groups();
    }

    /** Elements of a group. */
    static long elements(GroupNorm norm) {
        return norm.type().shape().elements() / size(norm);
    }

    private String wide() {
        if (wide == null) {
            wide = type().type() == DataType.FLOAT32 ? norm.input()
                : additions.cast(norm.input(), DataType.FLOAT32, name + ":wide");
        }
        return wide;
    }

    Moments measure() {
        String grouped = additions.reshape(wide(), List.of(size(norm), elements(norm)), name + ":grouped");
        return new Moments(additions.reduceAway("ReduceMean", grouped, name + ":mean", 1),
            additions.reduceAway("ReduceMean", squared(grouped), name + ":square", 1));
    }

    private String squared(String x) {
        return additions.node("Mul", x + ":squared", x, x);
    }

    /**
     * The moments of each patch, [rows · groups, patches].
     *
     * @param inner elements of a patch that lie side by side
     */
    Moments measureEach(int patches, long inner) {
        List<Long> dims = List.of(size(norm), elements(norm) / inner / patches, (long) patches, inner);
        String apart = additions.reshape(wide(), dims, name + ":patches");
        return new Moments(meanEach(apart, name + ":means"),
            meanEach(squared(apart), name + ":mean-squares"));
    }

    private String meanEach(String apart, String output) {
        return additions.reduceAway("ReduceMean", additions.reduceAway("ReduceMean", apart, output + "-of-rows", 3),
            output, 1);
    }

    /** What is to be added to one's own moments is added. */
    Moments corrected(Moments own, Moments change) {
        return new Moments(additions.node("Add", name + ":corrected-mean", own.mean(), change.mean()),
            additions.node("Add", name + ":corrected-square", own.square(), change.square()));
    }

    /**
     * Adds the norm with these moments; it makes the tensor that the norm made.
     *
     * @param fallback moments whose variance is taken where that of the others is negative
     * @param factor of the variance
     */
    void normalize(Moments moments, Optional<Moments> fallback, double factor) {
        String variance = variance(moments, "");
        if (fallback.isPresent()) {
            String negative = additions.node("Less", name + ":negative", variance,
                additions.number("nothing", 0));
            variance = additions.node("Where", name + ":usable", negative, variance(fallback.get(), "own-"), variance);
        }
        if (factor != 1) {
            variance = additions.node("Mul", name + ":unbiased", variance, additions.number(name + ":factor", factor));
        }
        String all = additions.reshape(wide(), List.of(1L, rows() * channels(), -1L), name + ":channels");
        String normal = additions.node("BatchNormalization", name + ":normal",
            Attributes.NONE.real("epsilon", norm.epsilon()), all, weight("weight", norm.weight(), 1),
            weight("bias", norm.bias(), 0), ofChannels(moments.mean(), "mean"), ofChannels(variance, "variance"));
        List<Long> dims = Arrays.stream(type().shape().toArray()).boxed().toList();
        if (type().type() == DataType.FLOAT32) {
            additions.reshape(normal, dims, norm.output());
        } else {
            additions.cast(additions.reshape(normal, dims, name + ":formed"), type().type(), norm.output());
        }
    }

    private String variance(Moments moments, String prefix) {
        return additions.node("Sub", name + ":" + prefix + "variance", moments.square(),
            additions.node("Mul", name + ":" + prefix + "squared-mean", moments.mean(), moments.mean()));
    }

    /** One value a channel of each row of [rows · groups]. */
    private String ofChannels(String moment, String what) {
        long each = channels() / norm.groups();
        return each == 1 ? moment : additions.node("Gather", name + ":channel-" + what, moment,
            indices("group-of-channel", rows() * channels(), channel -> channel / each));
    }

    /** One value a channel of each row. @param nothing the value with which it does nothing */
    private String weight(String what, Optional<String> given, double nothing) {
        if (given.isEmpty()) {
            return additions.filled(nothing, rows() * channels());
        }
        String weight = type().type() == DataType.FLOAT32 ? given.get()
            : additions.cast(given.get(), DataType.FLOAT32, name + ":wide-" + what);
        long each = norm.weightsOfGroups() ? channels() / norm.groups() : 1;
        String flat = additions.reshape(weight, List.of(-1L), name + ":flat-" + what);
        return additions.node("Gather", name + ":" + what, flat,
            indices("weight-of-channel", rows() * channels(), channel -> channel % channels() / each));
    }

    private String indices(String what, long count, LongUnaryOperator index) {
        return additions.integers(what + ":" + rows() + "x" + channels() + "/" + norm.groups()
            + (what.startsWith("weight") && norm.weightsOfGroups() ? "-groups" : ""),
            IntStream.range(0, Math.toIntExact(count)).mapToLong(index::applyAsLong).toArray());
    }
}
