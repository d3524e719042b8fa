package dev.slipstream.pipelines.graph.shape;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Operators that work on each element alone, after broadcasting. */
final class ElementwiseRules {
    private static final List<String> SAME = List.of("Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh",
        "BitwiseNot", "Ceil", "Celu", "Clip", "Cos", "Cosh", "CumSum", "Elu", "Erf", "Exp", "Floor", "Gelu",
        "HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "Log", "Mish", "Neg", "Not", "Reciprocal", "Relu",
        "Round", "Selu", "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Softplus", "Softsign", "Sqrt", "Swish", "Tan",
        "Tanh", "ThresholdedRelu", "Trilu");
    private static final List<String> ARITHMETIC = List.of("Add", "And", "BitShift", "BitwiseAnd", "BitwiseOr",
        "BitwiseXor", "Div", "Max", "Mean", "Min", "Mod", "Mul", "Or", "PRelu", "Sub", "Sum", "Xor");
    private static final List<String> COMPARISONS = List.of("Equal", "Greater", "GreaterOrEqual", "Less",
        "LessOrEqual");

    private ElementwiseRules() {
    }

    static Map<String, ShapeRule> table() {
        Map<String, ShapeRule> table = new HashMap<>();
        SAME.forEach(operator -> table.put(operator, node -> List.of(node.type(0))));
        ARITHMETIC.forEach(operator -> table.put(operator, node -> List.of(broadcast(node, 0, node.inputs()))));
        COMPARISONS.forEach(operator -> table.put(operator,
            node -> List.of(broadcast(node, 0, 2).withElement(ElementType.BOOL))));
        table.put("Pow", node -> List.of(node.type(0).withDims(node.broadcast(node.dims(0), node.dims(1)))));
        table.put("Where", ElementwiseRules::where);
        table.put("Cast", node -> List.of(node.type(0).withElement(node.elementType("to", ElementType.FLOAT32))));
        table.put("CastLike", node -> List.of(node.type(0).withElement(node.element(1))));
        table.put("Dropout", node -> List.of(node.type(0), node.type(0).withElement(ElementType.BOOL)));
        table.put("IsInf", node -> List.of(node.type(0).withElement(ElementType.BOOL)));
        table.put("IsNaN", node -> List.of(node.type(0).withElement(ElementType.BOOL)));
        return table;
    }

    private static List<ValueType> where(TypedNode node) {
        ValueType choices = broadcast(node, 1, 3);
        return List.of(choices.withDims(node.broadcast(node.dims(0), choices.dims())));
    }

    /** All inputs from one to another, which must have one element type, broadcast together. */
    private static ValueType broadcast(TypedNode node, int from, int to) {
        ValueType result = node.type(from);
        for (int i = from + 1; i < to; i++) {
            if (node.element(i) != result.element()) {
                throw node.invalid("inputs are " + result + " and " + node.type(i) + "; cast one of them");
            }
            result = result.withDims(node.broadcast(result.dims(), node.dims(i)));
        }
        return result;
    }
}
