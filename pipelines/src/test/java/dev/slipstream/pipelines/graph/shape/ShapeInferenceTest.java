package dev.slipstream.pipelines.graph.shape;

import static dev.slipstream.pipelines.graph.shape.GraphBuilder.attribute;
import static dev.slipstream.pipelines.graph.tensor.ElementType.BOOL;
import static dev.slipstream.pipelines.graph.tensor.ElementType.FLOAT32;
import static dev.slipstream.pipelines.graph.tensor.ElementType.FLOAT64;
import static dev.slipstream.pipelines.graph.tensor.ElementType.INT64;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.shape.rule.KnownValues;
import dev.slipstream.pipelines.graph.shape.rule.UnknownTypeException;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is not known, and what does not fit. */
class ShapeInferenceTest {
    private static final Map<String, TensorType> INPUT = Map.of("x", TensorType.of(DataType.FLOAT32, 2, 4));

    private static GraphBuilder builder() {
        return new GraphBuilder().input("x", FLOAT32, "n", 4);
    }

    private static void assertSays(GraphException error, String... parts) {
        for (String part : parts) {
            assertTrue(error.getMessage().contains(part), error.getMessage());
        }
    }

    @Test
    void anUnknownOperatorIsNoErrorUntilSomebodyNeedsItsType() {
        Graph graph = builder().node("a = Gelu(x)", "com.microsoft").node("b = Neg(a)").node("y = Abs(x)")
            .output("y", "b").graph();
        TensorTypes types = TensorTypes.infer(graph, INPUT);
        assertEquals(TensorType.of(DataType.FLOAT32, 2, 4), types.type("y"));
        assertFalse(types.isKnown("b"));
        GraphException error = assertThrows(GraphException.class, () -> types.type("b"));
        assertSays(error, "'b'", "node a", "com.microsoft.Gelu");
    }

    @Test
    void shapesThatDependOnValuesAreUnknown() {
        Graph graph = builder().input("target", INT64, 2).weight("zero", Value.reals(FLOAT32, new long[0], 0))
            .node("positive = Greater(x, zero)").node("places = NonZero(positive)").node("y = Reshape(x, target)")
            .output("places", "y").graph();
        TensorTypes types = TensorTypes.infer(graph, Map.of("x", TensorType.of(DataType.FLOAT32, 2, 4), "target",
            TensorType.of(DataType.INT64, 2)));
        assertSays(assertThrows(GraphException.class, () -> types.type("places")), "node places", "NonZero");
        assertSays(assertThrows(GraphException.class, () -> types.type("y")), "node y", "'target'");
    }

    @Test
    void elementTypesThatNoDeviceTakesMayOccurOnTheWay() {
        Graph graph = builder().node("wide = Cast(x)", attribute("to", FLOAT64.code()))
            .node("y = Cast(wide)", attribute("to", BOOL.code())).output("y").graph();
        TensorTypes types = TensorTypes.infer(graph, INPUT);
        assertEquals(TensorType.of(DataType.BOOL, 2, 4), types.type("y"));
        assertSays(assertThrows(GraphException.class, () -> types.type("wide")), "'wide'", "float64[2, 4]");
    }

    @Test
    void aTensorThatIsNotThereIsSaidSo() {
        TensorTypes types = TensorTypes.infer(builder().node("y = Neg(x)").output("y").graph(), INPUT);
        assertThrows(NoSuchElementException.class, () -> types.type("z"));
    }

    static Stream<OperatorCase> misfits() {
        return Stream.of(OperatorCase.of("Add").floats(2, 3).floats(2, 4),
            OperatorCase.of("Add").floats(2).input(INT64, 2),
            OperatorCase.of("Conv").floats(1, 4, 5, 5).floats(2, 3, 3, 3),
            OperatorCase.of("Conv").floats(1, 3, 2, 2).floats(2, 3, 3, 3),
            OperatorCase.of("Conv").floats(1, 3, 5).floats(2, 3, 3, 3),
            OperatorCase.of("Conv").list("pads", 1).floats(1, 3, 5).floats(2, 3, 3),
            OperatorCase.of("ConvTranspose").floats(1, 4, 5, 5).floats(3, 4, 3, 3),
            OperatorCase.of("MaxPool").floats(1, 4, 5, 5),
            OperatorCase.of("MatMul").floats(2, 3).floats(2, 3), OperatorCase.of("Gemm").floats(2, 3).floats(2, 3),
            OperatorCase.of("Einsum").string("equation", "ij->k").floats(2, 3),
            OperatorCase.of("Reshape").floats(2, 3).weight(4, 2), OperatorCase.of("Reshape").floats(6).weight(-1, -1),
            OperatorCase.of("Reshape").floats(6).weight(6, 0), OperatorCase.of("Reshape").floats(6),
            OperatorCase.of("Transpose").list("perm", 0, 0).floats(2, 3),
            OperatorCase.of("Squeeze").floats(2, 3).weight(0), OperatorCase.of("Unsqueeze").floats(2).weight(0, 0),
            OperatorCase.of("Concat").attribute("axis", 0).floats(2, 3).floats(2, 4),
            OperatorCase.of("Split").outputs(2).floats(6).weight(2, 2),
            OperatorCase.of("Slice").floats(6).weight(0).weight(3).weight(0).weight(0),
            OperatorCase.of("Gather").attribute("axis", 2).floats(6, 2).weight(0),
            OperatorCase.of("Tile").floats(6).weight(2, 2), OperatorCase.of("Pad").floats(6).weight(1),
            OperatorCase.of("Pad").floats(6).weight(-9, 0),
            OperatorCase.of("ConstantOfShape").weight(-1), OperatorCase.of("ConstantOfShape").weight(-7),
            OperatorCase.of("ConstantOfShape").weight(Long.MAX_VALUE, Long.MAX_VALUE),
            OperatorCase.of("DepthToSpace").attribute("blocksize", 0).floats(1, 4, 2, 2),
            OperatorCase.of("DepthToSpace").attribute("blocksize", 2).floats(1, 4),
            OperatorCase.of("Resize").floats(1, 1, 2, 2).none().none().weight(4, 4),
            OperatorCase.of("Range").weight(Value.scalar(0)).weight(Value.scalar(1)).weight(Value.scalar(0)));
    }

    @ParameterizedTest
    @MethodSource("misfits")
    void inputsThatDoNotFitAreRefusedNamingTheNode(OperatorCase operator) {
        GraphException error = assertThrows(GraphException.class, operator::infer);
        assertFalse(error instanceof UnknownTypeException, error.getMessage());
        assertSays(error, "node the/");
    }

    @Test
    void engineDependentSlicesAreLeftToTheEngine() {
        KnownValues known = OperatorCase.of("Slice").floats(6).weight(-1).weight(Long.MAX_VALUE).weight(0).weight(-1)
            .infer();
        assertSays(assertThrows(GraphException.class, () -> known.type("out0")), "the/Slice", "backwards");
    }
}
