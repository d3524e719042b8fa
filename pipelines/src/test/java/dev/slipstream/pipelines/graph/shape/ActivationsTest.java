package dev.slipstream.pipelines.graph.shape;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphSketch;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ActivationsTest {
    private static final TensorType TEN = TensorType.of(DataType.FLOAT32, 10);

    @Test
    void aChainHasTwoTensorsAliveAtATime() {
        Graph graph = new GraphSketch().input("x", 10).node("Tanh", "/a", List.of("x"), "a")
            .node("Tanh", "/b", List.of("a"), "b").node("Tanh", "/c", List.of("b"), "c")
            .node("Tanh", "/y", List.of("c"), "y").output("y", 10).build();
        assertEquals(2 * 40, Activations.peakBytes(graph, Map.of("x", TEN, "a", TEN, "b", TEN, "c", TEN, "y", TEN)));
    }

    @Test
    void aSkipStaysAliveUntilItsLastReader() {
        Graph graph = new GraphSketch().input("x", 10).node("Tanh", "/skip", List.of("x"), "skip")
            .node("Tanh", "/a", List.of("skip"), "a").node("Tanh", "/b", List.of("a"), "b")
            .node("Add", "/y", List.of("b", "skip"), "y").output("y", 10).build();
        Map<String, TensorType> types = Map.of("skip", TEN, "a", TEN, "b", TensorType.of(DataType.FLOAT16, 10));
        assertEquals(40 + 40 + 20, Activations.peakBytes(graph, types));
    }

    @Test
    void whatIsMadeOfWeightsAloneDoesNotCount() {
        Graph graph = new GraphSketch().input("x", 10).weight("w", new float[10], 10)
            .node("Tanh", "/made", List.of("w"), "made").node("Tanh", "/too", List.of("made"), "too")
            .node("Mul", "/a", List.of("x", "too"), "a").node("Tanh", "/y", List.of("a"), "y").output("y", 10).build();
        assertEquals(40, Activations.peakBytes(graph, Map.of("made", TEN, "too", TEN, "a", TEN, "y", TEN)));
    }

    @Test
    void inputsOutputsAndUnknownTensorsDoNotCount() {
        Graph graph = new GraphSketch().input("x", 10).node("Tanh", "/a", List.of("x"), "a")
            .node("Mul", "/y", List.of("a", "a"), "y").output("y", 10).build();
        assertEquals(0, Activations.peakBytes(graph, Map.of("x", TEN, "y", TEN)));
        assertEquals(40, Activations.peakBytes(graph, Map.of("x", TEN, "a", TEN, "y", TEN)));
    }
}
