package dev.slipstream.pipelines.graph.shape.rule;

import dev.slipstream.pipelines.graph.tensor.Constant;
import dev.slipstream.pipelines.graph.tensor.Dims;
import dev.slipstream.pipelines.graph.tensor.ElementType;
import dev.slipstream.pipelines.graph.tensor.ValueType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.function.IntPredicate;
import java.util.function.LongBinaryOperator;
import java.util.function.LongUnaryOperator;
import java.util.stream.IntStream;

/**
 * Operators that work on each element alone, after broadcasting.
 *
 * <p>Values of Cast: numbers that the new type cannot hold differ between machines, and are left to the engine.
 */
final class ElementwiseOperators {
    private static final List<String> SAME = List.of("Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh",
        "BitwiseNot", "Ceil", "Celu", "Clip", "Cos", "Cosh", "CumSum", "Elu", "Erf", "Exp", "Floor", "Gelu",
        "HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "Log", "Mish", "Neg", "Not", "Reciprocal", "Relu",
        "Round", "Selu", "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Softplus", "Softsign", "Sqrt", "Swish", "Tan",
        "Tanh", "ThresholdedRelu", "Trilu");
    private static final List<String> ARITHMETIC = List.of("Add", "And", "BitShift", "BitwiseAnd", "BitwiseOr",
        "BitwiseXor", "Div", "Max", "Mean", "Min", "Mod", "Mul", "Or", "PRelu", "Sub", "Sum", "Xor");
    private static final List<String> COMPARISONS = List.of("Equal", "Greater", "GreaterOrEqual", "Less",
        "LessOrEqual");

    private ElementwiseOperators() {
    }

    /** Computes one element, from and to words as {@link Constant} keeps them. */
    private interface Kernel {
        long word(long[] inputs);
    }

    static Map<String, ShapeRule> types() {
        Map<String, ShapeRule> table = new HashMap<>();
        SAME.forEach(operator -> table.put(operator, node -> List.of(node.type(0))));
        ARITHMETIC.forEach(operator -> table.put(operator, node -> List.of(broadcast(node, 0, node.inputs()))));
        COMPARISONS.forEach(operator -> table.put(operator,
            node -> List.of(broadcast(node, 0, 2).withElement(ElementType.BOOL))));
        table.put("Pow", node -> List.of(node.type(0).withDims(node.broadcast(node.dims(0), node.dims(1)))));
        table.put("Where", ElementwiseOperators::where);
        table.put("Cast", node -> List.of(node.type(0).withElement(node.elementType("to", ElementType.FLOAT32))));
        table.put("CastLike", node -> List.of(node.type(0).withElement(node.element(1))));
        table.put("Dropout", node -> List.of(node.type(0), node.type(0).withElement(ElementType.BOOL)));
        table.put("IsInf", node -> List.of(node.type(0).withElement(ElementType.BOOL)));
        table.put("IsNaN", node -> List.of(node.type(0).withElement(ElementType.BOOL)));
        return table;
    }

    static Map<String, FoldingRule> values() {
        Map<String, FoldingRule> table = new HashMap<>();
        table.put("Add", binary(Long::sum, Double::sum));
        table.put("Sub", binary((a, b) -> a - b, (a, b) -> a - b));
        table.put("Mul", binary((a, b) -> a * b, (a, b) -> a * b));
        table.put("Max", binary(Math::max, Math::max));
        table.put("Min", binary(Math::min, Math::min));
        table.put("And", binary((a, b) -> a & b, null));
        table.put("Or", binary((a, b) -> a | b, null));
        table.put("Xor", binary((a, b) -> a ^ b, null));
        table.put("Div", unlessByZero(binary((a, b) -> a / b, (a, b) -> a / b)));
        table.put("Mod", ElementwiseOperators::modulo);
        table.put("Equal", comparison(order -> order == 0));
        table.put("Less", comparison(order -> order < 0));
        table.put("LessOrEqual", comparison(order -> order <= 0));
        table.put("Greater", comparison(order -> order > 0));
        table.put("GreaterOrEqual", comparison(order -> order >= 0));
        table.put("Neg", unary(a -> -a, a -> -a));
        table.put("Abs", unary(Math::abs, Math::abs));
        table.put("Not", unary(a -> 1 - a, null));
        table.put("Floor", unary(null, Math::floor));
        table.put("Ceil", unary(null, Math::ceil));
        table.put("Round", unary(null, Math::rint));
        table.put("Sqrt", unary(null, Math::sqrt));
        table.put("Where", (node, type, output) -> each(node, type, words -> words[0] != 0 ? words[1] : words[2]));
        table.put("Cast", ElementwiseOperators::cast);
        table.put("CastLike", ElementwiseOperators::cast);
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

    private static FoldingRule unary(LongUnaryOperator integers, DoubleUnaryOperator reals) {
        return binary(integers == null ? null : (a, unused) -> integers.applyAsLong(a),
            reals == null ? null : (a, unused) -> reals.applyAsDouble(a));
    }

    /** More than two inputs are taken from left to right; a single one is both operands. */
    private static FoldingRule binary(LongBinaryOperator integers, DoubleBinaryOperator reals) {
        return (node, type, output) -> {
            ElementType element = type.element();
            // In half precision some engines round after each operator, and some only at the end of a chain.
            boolean half = element == ElementType.FLOAT16 || element == ElementType.BFLOAT16;
            if (half || (element.isReal() ? reals : integers) == null) {
                return Optional.empty();
            }
            LongBinaryOperator words = element.isReal() ? onWords(element, reals)
                : (a, b) -> element.wrap(integers.applyAsLong(a, b));
            return each(node, type, inputs -> {
                long result = inputs.length == 1 ? words.applyAsLong(inputs[0], inputs[0]) : inputs[0];
                for (int i = 1; i < inputs.length; i++) {
                    result = words.applyAsLong(result, inputs[i]);
                }
                return result;
            });
        };
    }

    private static LongBinaryOperator onWords(ElementType element, DoubleBinaryOperator reals) {
        return (a, b) -> Double.doubleToRawLongBits(
            element.round(reals.applyAsDouble(Double.longBitsToDouble(a), Double.longBitsToDouble(b))));
    }

    /** Integer division by zero is left to the engine, which may fail or not. */
    private static FoldingRule unlessByZero(FoldingRule rule) {
        return (node, type, output) -> {
            Constant divisor = node.required(1);
            boolean hasZero = IntStream.range(0, divisor.isUniform() ? 1 : divisor.elements())
                .anyMatch(i -> divisor.word(i) == 0);
            return hasZero && !type.element().isReal() ? Optional.empty() : rule.fold(node, type, output);
        };
    }

    /** Without {@code fmod} the result has the divisor's sign and the inputs are integers; with it, as in C. */
    private static Optional<Constant> modulo(TypedNode node, ValueType type, int output) {
        FoldingRule rule = node.flag("fmod") ? binary((a, b) -> a % b, (a, b) -> a % b)
            : binary(Math::floorMod, null);
        return unlessByZero(rule).fold(node, type, output);
    }

    /** Not-a-number is neither less nor equal nor greater, so that no test holds. */
    private static FoldingRule comparison(IntPredicate test) {
        return (node, type, output) -> {
            boolean real = node.element(0).isReal();
            return each(node, type, words -> {
                double a = Double.longBitsToDouble(words[0]);
                double b = Double.longBitsToDouble(words[1]);
                boolean unordered = real && (Double.isNaN(a) || Double.isNaN(b));
                int order = !real ? Long.compare(words[0], words[1]) : a < b ? -1 : a > b ? 1 : 0;
                return !unordered && test.test(order) ? 1 : 0;
            });
        };
    }

    /** Applies a kernel to all elements; to one only, if every input is uniform. */
    private static Optional<Constant> each(TypedNode node, ValueType type, Kernel kernel) {
        List<Constant> inputs = IntStream.range(0, node.inputs()).mapToObj(node::required).toList();
        boolean uniform = inputs.stream().allMatch(Constant::isUniform) && type.elements() > 0;
        if (!uniform && type.elements() > Constant.MOST_ELEMENTS) {
            return Optional.empty();
        }
        long[] dims = type.dims();
        List<long[]> strides = inputs.stream().map(input -> Dims.broadcastStrides(input.type().dims(), dims)).toList();
        long[] words = new long[uniform ? 1 : (int) type.elements()];
        long[] operands = new long[inputs.size()];
        for (int i = 0; i < words.length; i++) {
            for (int k = 0; k < operands.length; k++) {
                operands[k] = inputs.get(k).word((int) Dims.offset(i, dims, strides.get(k)));
            }
            words[i] = kernel.word(operands);
        }
        return Optional.of(Constant.of(type, words));
    }

    private static Optional<Constant> cast(TypedNode node, ValueType type, int output) {
        Constant input = node.required(0);
        ElementType to = type.element();
        if (!input.isUniform() && !input.isSmall()) {
            return Optional.empty();
        }
        long[] words = new long[input.isUniform() ? 1 : input.elements()];
        for (int i = 0; i < words.length; i++) {
            double real = input.real(i);
            boolean fromReal = input.type().element().isReal();
            if (to.isReal()) {
                words[i] = Double.doubleToRawLongBits(fromReal ? to.round(real) : ofInteger(input.word(i), to));
            } else if (to == ElementType.BOOL) {
                words[i] = real != 0 ? 1 : 0;
            } else if (fromReal && !fits(real, to)) {
                return Optional.empty();
            } else {
                words[i] = fromReal ? (long) real : to.wrap(input.word(i));
            }
        }
        return Optional.of(Constant.of(type, words));
    }

    /** Straight from the integer to the type: by way of a double it would be rounded twice. */
    private static double ofInteger(long value, ElementType to) {
        return to == ElementType.FLOAT64 ? (double) value : to.round((float) value);
    }

    private static boolean fits(double real, ElementType to) {
        return Math.abs(real) < 0x1p63 && to.wrap((long) real) == (long) real;
    }
}
