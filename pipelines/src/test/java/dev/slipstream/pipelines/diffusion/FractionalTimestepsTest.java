package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphSketch;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import java.util.List;
import org.junit.jupiter.api.Test;

class FractionalTimestepsTest {
    private static GraphSketch withTimestep(int type) {
        return new GraphSketch().typedInput("timestep", type, 1).weight("one", new float[] {1}, 1)
            .node("Identity", "/time/Identity", List.of("timestep"), "same")
            .node("Cast", "/time/Cast", List.of("same"), "real", GraphSketch.integer("to", DataType.FLOAT_VALUE))
            .node("Mul", "/time/Mul", List.of("real", "one"), "out").output("out", 1);
    }

    private static dev.slipstream.bridge.DataType declared(Graph graph) {
        return InputTypes.element(graph.inputs().getFirst());
    }

    @Test
    void aWholeTimestepThatIsOnlyCastBecomesAFraction() {
        Graph graph = FractionalTimesteps.allow(withTimestep(DataType.INT64_VALUE).build(), "timestep");
        assertEquals(dev.slipstream.bridge.DataType.FLOAT32, declared(graph));
        assertEquals(3, graph.nodes().size());
    }

    @Test
    void aTimestepThatSomethingElseReadsStaysWhole() {
        Graph graph = withTimestep(DataType.INT64_VALUE)
            .node("Neg", "/other/Neg", List.of("same"), "negative").output("negative", 1).build();
        assertSame(graph, FractionalTimesteps.allow(graph, "timestep"));
    }

    @Test
    void aRealTimestepStaysAsItIs() {
        Graph graph = withTimestep(DataType.FLOAT_VALUE).build();
        assertSame(graph, FractionalTimesteps.allow(graph, "timestep"));
    }
}
