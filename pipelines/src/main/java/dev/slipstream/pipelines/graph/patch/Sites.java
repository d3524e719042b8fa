package dev.slipstream.pipelines.graph.patch;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.fusion.GroupNorm;
import dev.slipstream.pipelines.graph.fusion.HeadedAttention;
import dev.slipstream.pipelines.graph.tensor.ConstantProtos;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The operators of a graph that look beyond a patch: convolutions with a kernel, attention to the picture, and norms of
 * groups.
 *
 * <p>A tensor is divided if it has other sizes in the graph of a patch than in that of the whole. What reads a divided
 * tensor must either be such an operator, or compute each row from the same row: all else is refused, so that a graph
 * of another architecture is never taken for one that it is not.
 */
final class Sites {
    private static final Set<String> ROW_BY_ROW = Set.of("Abs", "Add", "Cast", "Clip", "Concat", "Conv", "Cos", "Div",
        "Elu", "Erf", "Exp", "Expand", "Flatten", "Gelu", "Gemm", "HardSigmoid", "HardSwish", "Identity",
        "LayerNormalization", "LeakyRelu", "Log", "MatMul", "Max", "Mean", "Min", "Mish", "Mul", "Neg", "PRelu", "Pow",
        "Reciprocal", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum", "ReduceSumSquare", "Relu", "Reshape",
        "Resize", "Selu", "Sigmoid", "Sin", "Slice", "Softmax", "Softplus", "Split", "Sqrt", "Squeeze", "Sub", "Sum",
        "Swish", "Tanh", "Transpose", "Unsqueeze", "Where");
    /** Constants of these say sizes, which may differ. */
    private static final Set<String> SIZED = Set.of("Reshape", "Expand", "Resize");
    private static final Set<String> OVER_LAST_AXIS = Set.of("Softmax", "LayerNormalization", "MatMul", "Gemm");
    private static final Set<String> NORMS = Set.of("InstanceNormalization", "GroupNormalization");

    private final Graph whole;
    private final Graph part;
    private final Patching patching;
    private final Map<String, TensorType> wholeTypes;
    private final Map<String, TensorType> partTypes;
    private final Map<String, Halo> halos = new HashMap<>();
    private final Map<String, GroupNorm> normsOfWhole = new HashMap<>();
    private final Map<String, GroupNorm> normsOfPart = new LinkedHashMap<>();
    private final Map<String, HeadedAttention> inWhole = new LinkedHashMap<>();
    private final Map<String, HeadedAttention> inPart = new LinkedHashMap<>();
    private final Set<NodeProto> mixing = Collections.newSetFromMap(new IdentityHashMap<>());

    /**
     * Rows that a convolution needs beside those of a patch.
     *
     * @param before of the patch before; {@code after} of the one behind
     */
    record Halo(long before, long after) {
    }

    /**
     * Finds all of them.
     *
     * @param whole the denoiser with fixed shapes
     * @param part the same with the shapes of one patch
     * @throws GraphException if the graph has operators that cannot be divided so; the message names the first
     */
    Sites(Graph whole, Graph part, Patching patching) {
        this.whole = whole;
        this.part = part;
        this.patching = patching;
        this.wholeTypes = ValueInfos.types(whole);
        this.partTypes = ValueInfos.types(part);
        HeadedAttention.in(whole).stream().filter(it -> isDivided(it.key().source()))
            .forEach(it -> inWhole.put(name(it.product()), it));
        for (HeadedAttention attention : HeadedAttention.in(part)) {
            HeadedAttention same = inWhole.get(name(attention.product()));
            if (same != null && same.key().source().equals(attention.key().source())
                && same.value().source().equals(attention.value().source()) && attention.mask().isEmpty()
                && same.key().layout().tokens() == patching.patches() * attention.key().layout().tokens()) {
                inPart.put(name(attention.product()), attention);
                mixing.addAll(between(attention));
            }
        }
        Set<String> normed = new HashSet<>();
        part.nodes().stream().filter(node -> Nodes.reads(node).stream().anyMatch(this::isDivided))
            .forEach(node -> take(node, normed));
        GroupNorm.in(whole).forEach(norm -> normsOfWhole.put(name(norm.norm()), norm));
        GroupNorm.in(part).stream().filter(norm -> normed.contains(name(norm.norm())))
            .forEach(norm -> normsOfPart.put(name(norm.norm()), norm));
    }

    /** What the tensors that patches exchange for an operator are named after. */
    static String name(NodeProto node) {
        return Nodes.label(node);
    }

    Map<String, TensorType> wholeTypes() {
        return wholeTypes;
    }

    Map<String, TensorType> partTypes() {
        return partTypes;
    }

    boolean isDivided(String tensor) {
        TensorType type = wholeTypes.get(tensor);
        return type != null && !type.equals(partTypes.get(tensor));
    }

    Optional<Halo> halo(NodeProto node) {
        return Optional.ofNullable(halos.get(name(node)));
    }

    /** In the order of their last nodes. */
    List<GroupNorm> normsOfWhole() {
        return normsOfPart.keySet().stream().map(normsOfWhole::get).toList();
    }

    /** In the same order. */
    List<GroupNorm> normsOfPart() {
        return List.copyOf(normsOfPart.values());
    }

    List<HeadedAttention> attentionOfWhole() {
        return List.copyOf(inWhole.values());
    }

    List<HeadedAttention> attentionOfPart() {
        return List.copyOf(inPart.values());
    }

    /** @param normed gets the names of norms */
    private void take(NodeProto node, Set<String> normed) {
        NodeProto twin = whole.producer(node.getOutput(0))
            .filter(it -> it.getOpType().equals(node.getOpType())).orElse(null);
        if (twin == null || !Nodes.isStandard(node)) {
            throw refused(node, "a patch computes otherwise than the whole");
        }
        if (NORMS.contains(node.getOpType())) {
            normed.add(name(node));
        } else if (node.getOpType().equals("Conv") && extent(node) > 1) {
            halos.put(name(node), halo(node, twin));
        } else if (!mixing.contains(node)) {
            checkRowByRow(node);
        }
    }

    /** The nodes from the product of queries and keys to that with the values. */
    private Set<NodeProto> between(HeadedAttention attention) {
        Set<NodeProto> found = Collections.newSetFromMap(new IdentityHashMap<>());
        found.add(attention.product());
        Deque<String> open = new ArrayDeque<>(List.of(attention.product().getInput(0)));
        while (!open.isEmpty()) {
            part.producer(open.pop()).filter(found::add).filter(node -> node != attention.scored())
                .ifPresent(node -> open.addAll(Nodes.reads(node)));
        }
        return found;
    }

    private void checkRowByRow(NodeProto node) {
        if (!ROW_BY_ROW.contains(node.getOpType())) {
            throw refused(node, "it is not known to compute row by row");
        }
        if (Nodes.writes(node).stream().noneMatch(this::isDivided)) {
            throw refused(node, "it sums up over all rows");
        }
        boolean last = OVER_LAST_AXIS.contains(node.getOpType()) && isDividedAlongLast(node.getInput(0));
        boolean product = node.getInputCount() > 1 && isDivided(node.getInput(1))
            && (node.getOpType().equals("MatMul") || node.getOpType().equals("Gemm"));
        if (last || product || Nodes.integer(node, "transA", 0) != 0) {
            throw refused(node, "it mixes rows");
        }
        boolean between = node.getOpType().equals("Resize") && !Nodes.attribute(node, "mode")
            .map(AttributeProto::getS).map(mode -> mode.toStringUtf8()).orElse("nearest").equals("nearest");
        if (between || node.getOpType().equals("Concat") && isConcatOfRows(node)) {
            throw refused(node, "it has a row of several");
        }
        Nodes.reads(node).stream().filter(part.weights()::containsKey).filter(weight -> !isSame(node, weight))
            .findFirst().ifPresent(weight -> {
                throw refused(node, "its constant '" + weight + "' depends on the place in the picture");
            });
    }

    private boolean isSame(NodeProto node, String weight) {
        TensorProto one = part.weights().get(weight);
        TensorProto other = whole.weights().get(weight);
        boolean sizes = SIZED.contains(node.getOpType()) && one.getDataType() == TensorProto.DataType.INT64_VALUE;
        return sizes || other != null && one.getDimsList().equals(other.getDimsList())
            && (one.getDataType() != TensorProto.DataType.INT64_VALUE || integers(one).equals(integers(other)));
    }

    private static List<Long> integers(TensorProto weight) {
        return ConstantProtos.read(weight).map(constant -> Arrays.stream(constant.integers()).boxed().toList())
            .orElse(List.of());
    }

    private boolean isDividedAlongLast(String tensor) {
        TensorType type = wholeTypes.get(tensor);
        return isDivided(tensor) && type.shape().dim(-1) != partTypes.get(tensor).shape().dim(-1);
    }

    private boolean isConcatOfRows(NodeProto node) {
        int axis = Math.toIntExact(Nodes.integer(node, "axis", 0));
        return isDivided(node.getInput(0)) && wholeTypes.get(node.getInput(0)).shape().dim(axis)
            != partTypes.get(node.getInput(0)).shape().dim(axis);
    }

    private Halo halo(NodeProto conv, NodeProto twin) {
        int axis = patching.axis().index();
        if (conv.getInputCount() < 2 || partTypes.get(conv.getInput(0)).shape().rank() != 4
            || !Nodes.attribute(conv, "auto_pad").map(it -> it.getS().toStringUtf8()).orElse("NOTSET")
                .equals("NOTSET")) {
            throw refused(conv, "its padding is not written out for height and width");
        }
        long rows = partTypes.get(conv.getInput(0)).shape().dim(axis);
        long made = partTypes.get(conv.getOutput(0)).shape().dim(axis);
        boolean fits = wholeTypes.get(twin.getInput(0)).shape().dim(axis) == patching.patches() * rows
            && wholeTypes.get(twin.getOutput(0)).shape().dim(axis) == patching.patches() * made
            && made * stride(conv) == rows;
        Halo halo = new Halo(pad(conv, false), Math.max(0, (made - 1) * stride(conv) + extent(conv)
            - pad(conv, false) - rows));
        if (!fits || halo.before() > rows || halo.after() > rows) {
            throw refused(conv, "its " + wholeTypes.get(twin.getInput(0)).shape().dim(axis) + " rows cannot be divided "
                + "into " + patching.patches() + " equal parts of which it needs only neighbours");
        }
        return halo;
    }

    private long along(NodeProto conv, String attribute, long otherwise) {
        List<Long> values = Nodes.integers(conv, attribute);
        return values.isEmpty() ? otherwise : values.get(patching.axis().index() - 2);
    }

    private long stride(NodeProto conv) {
        return along(conv, "strides", 1);
    }

    private long pad(NodeProto conv, boolean end) {
        List<Long> pads = Nodes.integers(conv, "pads");
        return pads.isEmpty() ? 0 : pads.get(patching.axis().index() - 2 + (end ? pads.size() / 2 : 0));
    }

    /** Rows that one output depends on. */
    private long extent(NodeProto conv) {
        long kernel = along(conv, "kernel_shape", 0);
        if (kernel == 0) {
            TensorProto weight = part.weights().get(conv.getInput(1));
            kernel = weight == null ? 1 : weight.getDims(patching.axis().index());
        }
        return (kernel - 1) * along(conv, "dilations", 1) + 1;
    }

    static GraphException refused(NodeProto node, String why) {
        return new GraphException("the denoiser cannot be divided into patches: node " + Nodes.label(node) + " ("
            + node.getOpType() + "): " + why);
    }
}
