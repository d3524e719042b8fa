package dev.slipstream.pipelines.graph.shape;

import static dev.slipstream.pipelines.graph.tensor.ElementType.BFLOAT16;
import static dev.slipstream.pipelines.graph.tensor.ElementType.BOOL;
import static dev.slipstream.pipelines.graph.tensor.ElementType.FLOAT16;
import static dev.slipstream.pipelines.graph.tensor.ElementType.FLOAT32;
import static dev.slipstream.pipelines.graph.tensor.ElementType.FLOAT64;
import static dev.slipstream.pipelines.graph.tensor.ElementType.INT32;
import static dev.slipstream.pipelines.graph.tensor.ElementType.INT64;
import static dev.slipstream.pipelines.graph.tensor.ElementType.INT8;
import static dev.slipstream.pipelines.graph.tensor.ElementType.UINT8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import dev.slipstream.pipelines.graph.shape.rule.KnownValues;
import dev.slipstream.pipelines.graph.tensor.Constant;
import dev.slipstream.pipelines.graph.tensor.ElementType;
import dev.slipstream.pipelines.graph.tensor.ValueType;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Values of constant nodes, bit for bit against ONNX Runtime. */
class ConstantFoldingTest {
    private static final double[] AWKWARD = {1.5, -0.0, 0, -2.5, 1e-42, 3e38, 1.0 / 3, Double.NaN,
        Double.NEGATIVE_INFINITY, 65519, -7, 2.5};

    private static OperatorCase of(String operator) {
        return OperatorCase.of(operator);
    }

    private static Value random(ElementType element, long... dims) {
        return Value.random(ValueType.of(element, dims), dims.length);
    }

    private static Value awkward(ElementType element) {
        return Value.reals(element, new long[] {AWKWARD.length}, AWKWARD);
    }

    static Stream<OperatorCase> arithmetic() {
        Stream<OperatorCase> binary = Stream.of("Add", "Sub", "Mul", "Max", "Min").flatMap(operator ->
            Stream.of(INT64, INT32, FLOAT32, FLOAT64).map(element ->
                of(operator).weight(random(element, 3, 1)).weight(random(element, 2, 1, 4))));
        Stream<OperatorCase> comparisons = Stream.of("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual")
            .flatMap(operator -> Stream.of(of(operator).weight(random(INT64, 9, 1)).weight(random(INT64, 9)),
                of(operator).weight(awkward(FLOAT32)).weight(Value.reals(FLOAT32, new long[] {1}, 0))));
        Stream<OperatorCase> logic = Stream.of("And", "Or", "Xor").map(operator ->
            of(operator).weight(random(BOOL, 5, 1)).weight(random(BOOL, 5)));
        Stream<OperatorCase> unary = Stream.of("Neg", "Abs", "Floor", "Ceil", "Round", "Sqrt").flatMap(operator ->
            Stream.of(FLOAT32, FLOAT64).map(element -> of(operator).weight(awkward(element))));
        return Stream.of(binary, comparisons, logic, unary, Stream.of(
            of("Sub").weight(Long.MIN_VALUE, 5).weight(1, 9),
            of("Max").weight(1, 5, 3).weight(4).weight(2, 9, 0), of("Min").weight(1, 5),
            of("Div").weight(7, -7, 7, -7).weight(2, 2, -2, -2),
            of("Div").weight(awkward(FLOAT32)).weight(Value.reals(FLOAT32, new long[] {2, 1}, 3, 0)),
            of("Mod").weight(7, -7, 7, -7).weight(3, 3, -3, -3),
            of("Mod").attribute("fmod", 1).weight(7, -7, 7, -7).weight(3, 3, -3, -3),
            of("Mod").attribute("fmod", 1).weight(random(FLOAT32, 6)).weight(random(FLOAT32, 6)),
            of("Neg").weight(3, -4), of("Abs").weight(3, -4), of("Not").weight(random(BOOL, 4)),
            of("Where").weight(random(BOOL, 3, 1)).weight(1, 2).weight(Value.scalar(-1)))).flatMap(cases -> cases);
    }

    static Stream<OperatorCase> casts() {
        Value large = Value.list(0, 1, -1, (1L << 53) + 1, Long.MAX_VALUE, (1L << 24) + 1, 65520, -300,
            (1L << 60) + (1L << 36) + 1);
        Value small = Value.reals(FLOAT32, new long[] {5}, 0, -0.0, 2.9, -2.9, 100);
        return Stream.of(Stream.of(FLOAT32, FLOAT64, FLOAT16, INT32, INT8, UINT8, BOOL).map(to -> cast(to, large)),
            Stream.of(FLOAT64, FLOAT16, BFLOAT16, BOOL).map(to -> cast(to, awkward(FLOAT32))),
            Stream.of(INT64, INT32, INT8).map(to -> cast(to, small)),
            Stream.of(FLOAT32, FLOAT16, INT64).map(to -> cast(to, random(BOOL, 4))),
            Stream.of(FLOAT32).map(to -> cast(to, Value.reals(FLOAT64, new long[] {3}, 0.1, 1e300, 1e-300))),
            Stream.of(FLOAT32, FLOAT64, INT64).map(to -> cast(to, Value.reals(FLOAT16, new long[] {2}, 0.1, 3))),
            Stream.of(of("CastLike").weight(3, 4).weight(random(FLOAT32, 1)))).flatMap(cases -> cases);
    }

    private static OperatorCase cast(ElementType to, Value value) {
        return of("Cast").attribute("to", to.code()).weight(value);
    }

    static Stream<OperatorCase> moves() {
        Value block = random(INT64, 2, 3, 4);
        return Stream.of(of("Reshape").weight(block).weight(4, -1), of("Flatten").weight(block),
            of("Squeeze").weight(random(FLOAT32, 1, 3, 1)), of("Unsqueeze").weight(5, 6).weight(0),
            of("Identity").weight(block), of("Transpose").list("perm", 2, 0, 1).weight(block),
            of("Expand").weight(random(INT64, 3, 1)).weight(2, 1, 4), of("Tile").weight(block).weight(2, 1, 3),
            of("Slice").weight(block).weight(-1, 1).weight(-9, 3).weight(2, 0).weight(-2, 1),
            of("Concat").attribute("axis", 1).weight(block).weight(random(INT64, 2, 1, 4)),
            of("Concat").attribute("axis", 0).weight(3).weight().weight(4, 5),
            of("Split").outputs(2).attribute("axis", 1).weight(block).weight(1, 2),
            of("Trilu").weight(random(FLOAT32, 2, 3, 4)).weight(Value.scalar(1)),
            of("Trilu").attribute("upper", 0).weight(random(INT64, 4, 3)).weight(Value.scalar(-1)),
            of("Gather").attribute("axis", 1).weight(block).weight(Value.integers(INT64, new long[] {2, 1}, -1, 0)),
            of("Gather").weight(7, 8, 9).weight(Value.scalar(1)),
            of("GatherElements").attribute("axis", 2).weight(block).weight(Value.integers(INT64, new long[] {1, 2, 2},
                3, 0, -1, 2)),
            of("ScatterND").weight(block).weight(Value.integers(INT64, new long[] {2, 2}, 0, 1, -1, 2))
                .weight(random(INT64, 2, 4)));
    }

    static Stream<OperatorCase> reductions() {
        return Stream.of("ReduceSum", "ReduceProd", "ReduceMax", "ReduceMin").flatMap(operator ->
            Stream.of(INT64, INT32).flatMap(element -> Stream.of(of(operator).weight(random(element, 3, 4)),
                of(operator).opset(18).attribute("keepdims", 0).weight(random(element, 2, 3, 4)).weight(1))));
    }

    static Stream<OperatorCase> generators() {
        return Stream.of(of("Shape").floats(2, 3, 4), of("Shape").attribute("start", -2).floats(2, 3, 4),
            of("Size").floats(2, 3),
            of("ConstantOfShape").weight(2, 3),
            of("ConstantOfShape").tensor("value", Value.list(7).proto("")).weight(4),
            of("ConstantOfShape").weight(0, 3),
            of("Range").weight(Value.scalar(7)).weight(Value.scalar(-3)).weight(Value.scalar(-3)),
            of("Range").weight(Value.reals(FLOAT32, new long[0], 0)).weight(Value.reals(FLOAT32, new long[0], 77))
                .weight(Value.reals(FLOAT32, new long[0], 1)),
            of("CumSum").weight(random(INT64, 3, 4)).weight(Value.scalar(1)),
            of("CumSum").weight(random(INT32, 3, 4)).weight(Value.scalar(-2)),
            of("Constant").tensor("value", Value.list(1, 2).proto("")), of("Constant").list("value_ints", 1, 2, 3));
    }

    @ParameterizedTest
    @MethodSource({"arithmetic", "casts", "moves", "reductions", "generators"})
    void valuesAreThoseOfOnnxRuntimeToTheLastBit(OperatorCase operator) throws OrtException {
        operator.checkValues();
    }

    @Test
    void everyStepIsRoundedToItsType() throws OrtException {
        for (ElementType element : List.of(FLOAT32, FLOAT64)) {
            GraphBuilder builder = new GraphBuilder().weight("x", random(element, 60)).weight("y", random(element, 1))
                .node("a = Add(x, y)").node("b = Sub(a, y)").node("c = Mul(b, y)").output("c");
            Constant folded = Propagation.through(builder.graph(), Map.of()).known().constant("c").orElseThrow();
            assertEquals(Oracle.run(builder.model(), Map.of()).get("c"), Value.of(folded));
        }
    }

    @Test
    void goingThroughANarrowTypeLosesWhatItCannotHold() throws OrtException {
        GraphBuilder builder = new GraphBuilder().weight("x", awkward(FLOAT32))
            .node("narrow = Cast(x)", GraphBuilder.attribute("to", FLOAT16.code()))
            .node("wide = Cast(narrow)", GraphBuilder.attribute("to", FLOAT32.code())).output("wide");
        Constant folded = Propagation.through(builder.graph(), Map.of()).known().constant("wide").orElseThrow();
        assertEquals(Oracle.run(builder.model(), Map.of()).get("wide"), Value.of(folded));
    }

    @Test
    void whatCannotBePromisedIsLeftToTheEngine() {
        Value uncertain = Value.reals(FLOAT32, new long[] {2}, Double.NaN, 1e30);
        Value numbers = random(FLOAT32, 6);
        for (OperatorCase operator : List.of(cast(INT64, uncertain),
            cast(UINT8, Value.reals(FLOAT32, new long[] {1}, -1)),
            of("Div").weight(1, 2).weight(1, 0), of("Mod").weight(1).weight(0), of("Exp").weight(numbers),
            of("Add").weight(random(FLOAT16, 4)).weight(random(FLOAT16, 4)), of("Sqrt").weight(random(BFLOAT16, 4)),
            of("Pow").weight(numbers).weight(numbers), of("ReduceSum").weight(numbers),
            of("Gather").weight(1, 2).weight(5), of("Range").weight(Value.reals(FLOAT32, new long[0], 0))
                .weight(Value.reals(FLOAT32, new long[0], 1)).weight(Value.reals(FLOAT32, new long[0], 0.1)))) {
            KnownValues known = operator.infer();
            assertTrue(known.isKnown("out0"), operator::toString);
            assertFalse(known.constant("out0").isPresent(), operator::toString);
        }
    }

    @Test
    void largeConstantsAreLeftAloneUnlessTheyAreOneValueEverywhere() {
        assertFalse(of("Add").weight(random(FLOAT32, 91, 91)).weight(random(FLOAT32, 1)).infer().constant("out0")
            .isPresent());
        assertFalse(of("Expand").weight(1, 2).weight(8000, 2).infer().constant("out0").isPresent());
        Constant uniform = of("Expand").weight(4).weight(9000, 9000).infer().constant("out0").orElseThrow();
        assertTrue(uniform.isUniform() && uniform.word(0) == 4);
    }
}
