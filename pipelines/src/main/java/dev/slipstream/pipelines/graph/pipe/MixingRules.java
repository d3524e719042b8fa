package dev.slipstream.pipelines.graph.pipe;

import static dev.slipstream.pipelines.graph.pipe.OperatorRules.axis;
import static dev.slipstream.pipelines.graph.pipe.OperatorRules.refused;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.pipe.NodeFlow.Operand.Gathered;
import dev.slipstream.pipelines.graph.pipe.NodeFlow.Operand.Table;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Operators that compute. Those that mix tokens in another way than attention are refused. */
final class MixingRules implements OperatorRules {
    private static final Set<String> ELEMENTWISE = Set.of("Abs", "Neg", "Exp", "Log", "Sqrt", "Reciprocal", "Sin",
        "Cos", "Tanh", "Sigmoid", "Relu", "LeakyRelu", "Elu", "Gelu", "Erf", "Softplus", "HardSigmoid", "HardSwish",
        "Floor", "Ceil", "Round", "Not", "Cast", "Identity", "Clip", "Add", "Sub", "Mul", "Div", "Pow", "Max", "Min",
        "Where", "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "And", "Or", "PRelu");
    private static final Set<String> REDUCING = Set.of("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin",
        "ReduceL2", "ReduceSumSquare");
    /** Axes of pictures, [rows, channels, height, width]. */
    private static final int HEIGHT = 2;

    private final TokenFlow tensors;
    private final MovingRules moving;

    MixingRules(TokenFlow tensors) {
        this.tensors = tensors;
        this.moving = new MovingRules(tensors);
    }

    @Override
    public NodeFlow of(NodeProto node) {
        if (!Nodes.isStandard(node)) {
            throw refused(node, "is no standard operator");
        }
        String operator = node.getOpType();
        if (ELEMENTWISE.contains(operator)) {
            return elementwise(node);
        }
        if (REDUCING.contains(operator)) {
            return reduce(node);
        }
        return switch (operator) {
            case "MatMul" -> product(node);
            case "Gemm" -> linear(node);
            case "Conv" -> convolution(node);
            case "LayerNormalization" -> apart(node, Nodes.integer(node, "axis", -1), true);
            case "Softmax", "LogSoftmax" -> apart(node, Nodes.integer(node, "axis", -1), false);
            case "SpaceToDepth" -> resized(node, 1, Nodes.integer(node, "blocksize", 1));
            case "DepthToSpace" -> resized(node, Nodes.integer(node, "blocksize", 1), 1);
            default -> moving.of(node);
        };
    }

    /** Operands are broadcast. */
    private NodeFlow elementwise(NodeProto node) {
        int rank = tensors.dims(node.getOutput(0)).length;
        List<TokenLayout> layouts = node.getInputList().stream().flatMap(input -> tensors.layout(input)
            .map(layout -> layout.at(layout.axis() + rank - tensors.dims(input).length)).stream()).distinct().toList();
        if (layouts.size() > 1) {
            throw refused(node, "joins tokens that lie in different ways");
        }
        TokenLayout common = layouts.getFirst();
        NodeFlow flow = NodeFlow.plain(node, common);
        for (int i = 0; i < node.getInputCount(); i++) {
            if (!node.getInput(i).isEmpty() && tensors.layout(node.getInput(i)).isEmpty()) {
                flow = withTable(flow, i, common, common.axis() - rank + tensors.dims(node.getInput(i)).length);
            }
        }
        return flow;
    }

    /** An operand without tokens, of which a patch reads its part where it is not the same for all. */
    private NodeFlow withTable(NodeFlow flow, int input, TokenLayout layout, int axis) {
        long[] dims = tensors.dims(flow.node().getInput(input));
        if (axis < 0 || dims[axis] == 1) {
            return flow;
        }
        if (layout.outer() > 1) {
            throw refused(flow.node(), "has an operand for all rows of a batch at once");
        }
        return flow.with(input, new Table(layout.at(axis)));
    }

    private NodeFlow product(NodeProto node) {
        Optional<TokenLayout> left = tensors.layout(node.getInput(0));
        Optional<TokenLayout> right = tensors.layout(node.getInput(1));
        int leftEnd = left.map(layout -> fromEnd(node.getInput(0), layout)).orElse(0);
        int rightEnd = right.map(layout -> fromEnd(node.getInput(1), layout)).orElse(0);
        int rank = tensors.dims(node.getOutput(0)).length;
        boolean gathers = rightEnd == 1 || rightEnd == 2;
        if (leftEnd == 1 || leftEnd > 2 && (gathers || tensors.dims(node.getInput(1)).length > 2)
            || !gathers && right.isPresent()) {
            throw refused(node, "mixes tokens");
        }
        Optional<TokenLayout> out = left.map(layout -> layout.at(rank - leftEnd));
        NodeFlow flow = new NodeFlow(node, Map.of(), List.of(out));
        return gathers ? flow.with(1, new Gathered()) : flow;
    }

    /** 1 for the last axis. */
    private int fromEnd(String tensor, TokenLayout layout) {
        return tensors.dims(tensor).length - layout.axis();
    }

    private NodeFlow linear(NodeProto node) {
        Optional<TokenLayout> rows = tensors.layout(node.getInput(0)).filter(layout -> layout.axis() == 0);
        boolean others = node.getInputList().stream().skip(1).anyMatch(input -> tensors.layout(input).isPresent());
        if (rows.isEmpty() || others || Nodes.integer(node, "transA", 0) != 0) {
            throw refused(node, "mixes tokens");
        }
        NodeFlow flow = NodeFlow.plain(node, rows.get());
        boolean hasTable = node.getInputCount() > 2 && tensors.dims(node.getInput(2)).length == 2;
        return hasTable ? withTable(flow, 2, rows.get(), 0) : flow;
    }

    /** Patches of pixels become tokens, as long as none overlaps another. */
    private NodeFlow convolution(NodeProto node) {
        TokenLayout layout = onlyFirst(node);
        int space = layout.axis() - HEIGHT;
        long kernel = layout.axis() < HEIGHT ? 0 : tensors.dims(node.getInput(1))[layout.axis()];
        List<Long> strides = Nodes.integers(node, "strides");
        List<Long> pads = Nodes.integers(node, "pads");
        boolean padded = pads.stream().anyMatch(pad -> pad != 0)
            || Nodes.attribute(node, "auto_pad").filter(it -> !it.getS().toStringUtf8().equals("NOTSET")).isPresent();
        long stride = strides.isEmpty() || space < 0 ? 1 : strides.get(space);
        if (space < 0 || kernel != stride || padded) {
            throw refused(node, "reads rows of its neighbours");
        }
        return resized(node, 1, stride);
    }

    /** @param into so many rows become {@code times} as many */
    private NodeFlow resized(NodeProto node, long times, long into) {
        TokenLayout layout = onlyFirst(node);
        TokenLayout changed = layout.scaled(layout.axis(), layout.outer(), layout.length() * times / into,
            tensors.rows()).filter(it -> layout.axis() == HEIGHT && layout.length() * times % into == 0)
            .orElseThrow(() -> refused(node, "does not keep whole rows of tokens"));
        return NodeFlow.plain(node, changed);
    }

    private TokenLayout onlyFirst(NodeProto node) {
        return tensors.layout(node.getInput(0))
            .filter(layout -> node.getInputList().stream().skip(1).noneMatch(it -> tensors.layout(it).isPresent()))
            .orElseThrow(() -> refused(node, "has tokens where it expects none"));
    }

    /**
     * What works along an axis.
     *
     * @param andBehind or along that axis and all behind it
     */
    private NodeFlow apart(NodeProto node, long axis, boolean andBehind) {
        TokenLayout layout = onlyFirst(node);
        int along = axis(axis, tensors.dims(node.getInput(0)).length);
        if (andBehind ? layout.axis() >= along : layout.axis() == along) {
            throw refused(node, "mixes tokens");
        }
        return NodeFlow.plain(node, layout);
    }

    private NodeFlow reduce(NodeProto node) {
        TokenLayout layout = onlyFirst(node);
        int rank = tensors.dims(node.getInput(0)).length;
        long[] axes = node.getInputCount() > 1 ? tensors.integers(node.getInput(1)).orElse(new long[0])
            : Nodes.integers(node, "axes").stream().mapToLong(Long::longValue).toArray();
        List<Integer> reduced = Arrays.stream(axes).mapToObj(axis -> axis(axis, rank)).toList();
        if (reduced.isEmpty() || reduced.contains(layout.axis())) {
            throw refused(node, "mixes tokens");
        }
        long gone = Nodes.integer(node, "keepdims", 1) == 1 ? 0
            : reduced.stream().filter(axis -> axis < layout.axis()).count();
        return NodeFlow.plain(node, layout.at((int) (layout.axis() - gone)));
    }
}
