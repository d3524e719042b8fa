package dev.slipstream.pipelines.graph.shape;

import static dev.slipstream.pipelines.graph.tensor.ElementType.FLOAT32;
import static dev.slipstream.pipelines.graph.tensor.ElementType.FLOAT64;
import static dev.slipstream.pipelines.graph.tensor.ElementType.INT64;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import java.util.Map;
import org.junit.jupiter.api.Test;

class InputTypesTest {
    private static final Graph GRAPH = new GraphBuilder().input("sample", FLOAT32, "batch", 4, "height")
        .input("step", INT64).node("y = Neg(sample)").output("y").graph();

    @Test
    void namedDimensionsGetTheirSizes() {
        assertEquals(Map.of("sample", TensorType.of(DataType.FLOAT32, 2, 4, 8), "step", TensorType.of(DataType.INT64)),
            InputTypes.of(GRAPH, Map.of("batch", 2L, "height", 8L, "width", 9L)));
    }

    @Test
    void aWholeShapeGoesBeforeNames() {
        assertEquals(TensorType.of(DataType.FLOAT32, 1, 4, 3),
            InputTypes.of(GRAPH, Map.of(), Map.of("sample", Shape.of(1, 4, 3))).get("sample"));
    }

    private static void assertRefused(String part, Map<String, TensorType> types) {
        GraphException error = assertThrows(GraphException.class, () -> TensorTypes.infer(GRAPH, types));
        assertTrue(error.getMessage().contains(part), error.getMessage());
    }

    @Test
    void aDimensionWithoutASizeIsNamed() {
        GraphException error = assertThrows(GraphException.class, () -> InputTypes.of(GRAPH, Map.of("batch", 2L)));
        assertTrue(error.getMessage().contains("'height'") && error.getMessage().contains("'sample'"));
        assertThrows(GraphException.class, () -> InputTypes.of(GRAPH, Map.of("batch", 2L, "height", -1L)));
    }

    @Test
    void typesThatContradictTheGraphAreRefused() {
        TensorType step = TensorType.of(DataType.INT64);
        assertRefused("'sample'", Map.of("step", step));
        assertRefused("float32[batch, 4, height]", Map.of("step", step, "sample",
            TensorType.of(DataType.FLOAT32, 2, 5, 8)));
        assertRefused("cannot be float16", Map.of("step", step, "sample", TensorType.of(DataType.FLOAT16, 2, 4, 8)));
        assertRefused("cannot be", Map.of("step", step, "sample", TensorType.of(DataType.FLOAT32, 2, 4)));
        assertRefused("all dimensions", Map.of("step", step, "sample", TensorType.of(DataType.FLOAT32, -1, 4, 8)));
        assertRefused("no input 'other'", Map.of("step", step, "other", step, "sample",
            TensorType.of(DataType.FLOAT32, 2, 4, 8)));
    }

    @Test
    void inputsOfTypesThatNoDeviceTakesAreRefused() {
        Graph wide = new GraphBuilder().input("x", FLOAT64, 2).node("y = Neg(x)").output("y").graph();
        assertTrue(assertThrows(GraphException.class, () -> InputTypes.of(wide, Map.of())).getMessage()
            .contains("'x'"));
    }
}
