package dev.slipstream.pipelines.graph.precision;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.pipelines.graph.Nodes;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What an operator's precision depends on: the policy which operators compute in the narrow type. It is that of
 * autocast, as far as diffusion models go.
 */
enum OperatorRole {
    /** Computes in the narrow type: products, and functions of one element whose result is about as large as it. */
    NARROW,
    /** Narrow, unless it belongs to a normalisation or to the embedding of the time; see {@link NarrowNodes}. */
    ARITHMETIC,
    /** Hands elements on as they are: as wide as what it stands between. */
    MOVING,
    /** Sums and powers, which overflow or lose digits. Fp32, and so is the arithmetic on their results. */
    STATISTIC,
    /** Divides by a sum of its own. Fp32, and so is the scaling by weights behind it. */
    NORMALIZING,
    /** Turns an error of its argument into one of its result. Fp32, and so is what its argument is made with. */
    WAVE,
    /** Whatever else there is: left as it is. */
    WIDE;

    private static final Map<OperatorRole, List<String>> TABLE = Map.of(
        NARROW, List.of("Conv", "ConvTranspose", "Gemm", "MatMul", "Einsum", "AveragePool", "MaxPool",
            "Abs", "Celu", "Clip", "Elu", "Erf", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Mish", "Neg",
            "PRelu", "Relu", "Selu", "Sigmoid", "Softsign", "Swish", "Tanh"),
        ARITHMETIC, List.of("Add", "Div", "Max", "Min", "Mul", "Sub", "Sum"),
        MOVING, List.of("Concat", "DepthToSpace", "Dropout", "Expand", "Flatten", "Gather",
            "GatherElements", "Identity", "Pad", "Reshape", "Resize", "Slice", "SpaceToDepth", "Split", "Squeeze",
            "Tile", "Transpose", "Unsqueeze", "Where"),
        STATISTIC, List.of("Pow", "Reciprocal", "ReduceL1", "ReduceL2", "ReduceLogSumExp", "ReduceMax",
            "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare", "Sqrt"),
        NORMALIZING, List.of("BatchNormalization", "GroupNormalization", "InstanceNormalization",
            "LayerNormalization", "LogSoftmax", "LpNormalization", "MeanVarianceNormalization", "RMSNormalization",
            "Softmax"),
        WAVE, List.of("Cos", "Sin"));
    private static final Map<String, OperatorRole> ROLES = roles();

    private static Map<String, OperatorRole> roles() {
        Map<String, OperatorRole> roles = new HashMap<>();
        TABLE.forEach((role, operators) -> operators.forEach(operator -> roles.put(operator, role)));
        return Map.copyOf(roles);
    }

    static OperatorRole of(NodeProto node) {
        boolean known = Nodes.isStandard(node) && !hasInnerGraph(node) && !interpolates(node);
        return known ? ROLES.getOrDefault(node.getOpType(), WIDE) : WIDE;
    }

    /** Whether ONNX wants float32 at an input whatever the others are: the scales of Resize. */
    static boolean isAlwaysWide(NodeProto node, int input) {
        return node.getOpType().equals("Resize") && input > 0;
    }

    private static boolean hasInnerGraph(NodeProto node) {
        return node.getAttributeList().stream().anyMatch(it -> it.hasG() || it.getGraphsCount() > 0);
    }

    private static boolean interpolates(NodeProto node) {
        return node.getOpType().equals("Resize") && !Nodes.attribute(node, "mode").map(AttributeProto::getS)
            .map(mode -> mode.toStringUtf8()).orElse("nearest").equals("nearest");
    }
}
