package dev.slipstream.pipelines.graph.precision;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.pipelines.graph.Nodes;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The policy: which operators compute in the narrow type. It is that of autocast, as far as diffusion models go. */
final class OperatorRoles {
    private static final Map<OperatorRole, List<String>> TABLE = Map.of(
        OperatorRole.NARROW, List.of("Conv", "ConvTranspose", "Gemm", "MatMul", "Einsum", "AveragePool", "MaxPool",
            "Abs", "Celu", "Clip", "Elu", "Erf", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Mish", "Neg",
            "PRelu", "Relu", "Selu", "Sigmoid", "Softsign", "Swish", "Tanh"),
        OperatorRole.ARITHMETIC, List.of("Add", "Div", "Max", "Min", "Mul", "Sub", "Sum"),
        OperatorRole.MOVING, List.of("Concat", "DepthToSpace", "Dropout", "Expand", "Flatten", "Gather",
            "GatherElements", "Identity", "Pad", "Reshape", "Resize", "Slice", "SpaceToDepth", "Split", "Squeeze",
            "Tile", "Transpose", "Unsqueeze", "Where"),
        OperatorRole.STATISTIC, List.of("Pow", "Reciprocal", "ReduceL1", "ReduceL2", "ReduceLogSumExp", "ReduceMax",
            "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare", "Sqrt"),
        OperatorRole.NORMALIZING, List.of("BatchNormalization", "GroupNormalization", "InstanceNormalization",
            "LayerNormalization", "LogSoftmax", "LpNormalization", "MeanVarianceNormalization", "RMSNormalization",
            "Softmax"),
        OperatorRole.WAVE, List.of("Cos", "Sin"));
    private static final Map<String, OperatorRole> ROLES = roles();

    private OperatorRoles() {
    }

    private static Map<String, OperatorRole> roles() {
        Map<String, OperatorRole> roles = new HashMap<>();
        TABLE.forEach((role, operators) -> operators.forEach(operator -> roles.put(operator, role)));
        return Map.copyOf(roles);
    }

    static OperatorRole of(NodeProto node) {
        boolean known = Nodes.isStandard(node) && !hasInnerGraph(node) && !interpolates(node);
        return known ? ROLES.getOrDefault(node.getOpType(), OperatorRole.WIDE) : OperatorRole.WIDE;
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
