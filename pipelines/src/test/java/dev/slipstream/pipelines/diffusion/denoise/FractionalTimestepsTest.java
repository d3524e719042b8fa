package dev.slipstream.pipelines.diffusion.denoise;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import com.google.gson.JsonObject;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphSketch;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import java.util.List;
import java.util.Optional;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FractionalTimestepsTest {
    private static GraphSketch withTimestep(int type) {
        return withTimestep(type, DataType.FLOAT_VALUE);
    }

    private static GraphSketch withTimestep(int type, int cast) {
        return new GraphSketch().typedInput("timestep", type, 1).weight("one", new float[] {1}, 1)
            .node("Identity", "/time/Identity", List.of("timestep"), "same")
            .node("Cast", "/time/Cast", List.of("same"), "cast", GraphSketch.integer("to", cast))
            .node("Cast", "/time/Cast_1", List.of("cast"), "real", GraphSketch.integer("to", DataType.FLOAT_VALUE))
            .node("Mul", "/time/Mul", List.of("real", "one"), "out").output("out", 1);
    }

    private static dev.slipstream.bridge.DataType declared(Graph graph) {
        return InputTypes.element(graph.inputs().getFirst());
    }

    private static Graph allow(GraphSketch sketch) {
        return FractionalTimesteps.allow(sketch.build(), "timestep");
    }

    private static List<String> cutBy(Graph graph) {
        return FractionalTimesteps.cutBy(graph, "timestep");
    }

    @ParameterizedTest
    @ValueSource(ints = {DataType.INT64_VALUE, DataType.INT32_VALUE, DataType.FLOAT16_VALUE, DataType.DOUBLE_VALUE})
    void aTimestepThatIsOnlyCastBecomesAFraction(int type) {
        Graph graph = allow(withTimestep(type));
        assertEquals(dev.slipstream.bridge.DataType.FLOAT32, declared(graph));
        assertEquals(4, graph.nodes().size());
        assertEquals(List.of(), cutBy(graph));
        assertSame(graph, FractionalTimesteps.allow(graph, "timestep"));
    }

    /** What tracing makes of moving a tensor to the device on which it is. */
    @ParameterizedTest
    @ValueSource(ints = {DataType.INT64_VALUE, DataType.INT32_VALUE})
    void aCastBetweenIntegersCutsNothing(int between) {
        Graph graph = allow(withTimestep(DataType.INT64_VALUE, between));
        assertEquals(dev.slipstream.bridge.DataType.FLOAT32, declared(graph));
        assertEquals(List.of(), cutBy(graph));
        assertEquals(List.of("Identity", "Identity", "Cast", "Mul"),
            graph.nodes().stream().map(NodeProto::getOpType).toList());
    }

    /** Its author cut it, and so does PyTorch. */
    @Test
    void aCastOfARealTimestepToAnIntegerStaysAndIsTold() {
        Graph graph = withTimestep(DataType.FLOAT_VALUE, DataType.INT64_VALUE).build();
        assertSame(graph, FractionalTimesteps.allow(graph, "timestep"));
        assertEquals(List.of("/time/Cast_1"), cutBy(graph));
    }

    @Test
    void aCastToATypeThatDoesNotHoldTimestepsStays() {
        Graph graph = withTimestep(DataType.INT64_VALUE, DataType.BOOL_VALUE).build();
        assertSame(graph, FractionalTimesteps.allow(graph, "timestep"));
    }

    @Test
    void aCastToTheTypeOfAnotherTensorIsACast() {
        Graph graph = allow(new GraphSketch().typedInput("timestep", DataType.INT64_VALUE, 1)
            .weight("one", new float[] {1}, 1)
            .node("CastLike", "/time/CastLike", List.of("timestep", "one"), "real")
            .node("Mul", "/time/Mul", List.of("real", "one"), "out").output("out", 1));
        assertEquals(dev.slipstream.bridge.DataType.FLOAT32, declared(graph));
        assertEquals(2, graph.nodes().size());
    }

    @Test
    void aCastToTheTypeOfTheTimestepIsGivenThatType() {
        Graph graph = allow(withTimestep(DataType.INT64_VALUE).weight("half", new float[] {0.5f}, 1)
            .node("CastLike", "/other/CastLike", List.of("half", "same"), "none").output("none", 1));
        NodeProto like = graph.producer("none").orElseThrow();
        assertEquals("half", like.getInput(0));
        assertEquals(DataType.INT64_VALUE, Nodes.integer(graph.producer(graph.producer(like.getInput(1)).orElseThrow()
            .getInput(0)).orElseThrow(), "to", 0));
    }

    @Test
    void whatElseReadsATimestepIsGivenAWholeOne() {
        Graph graph = allow(withTimestep(DataType.INT64_VALUE)
            .weight("table", new float[1000], 1000)
            .node("Gather", "/other/Gather", List.of("table", "same"), "row").output("row", 1));
        assertEquals(dev.slipstream.bridge.DataType.FLOAT32, declared(graph));
        assertEquals(List.of("/other/Gather"), cutBy(graph));
        NodeProto moved = graph.producer(graph.producer("row").orElseThrow().getInput(1)).orElseThrow();
        NodeProto cast = graph.producer(moved.getInput(0)).orElseThrow();
        assertEquals(DataType.INT64_VALUE, Nodes.integer(cast, "to", 0));
    }

    @Test
    void aTimestepThatIsNeverCastStaysWhole() {
        Graph graph = new GraphSketch().typedInput("timestep", DataType.INT64_VALUE, 1)
            .weight("table", new float[1000], 1000)
            .node("Gather", "/time/Gather", List.of("table", "timestep"), "out").output("out", 1).build();
        assertSame(graph, FractionalTimesteps.allow(graph, "timestep"));
        assertEquals(List.of("/time/Gather"), cutBy(graph));
    }

    @Test
    void anOutputKeepsItsType() {
        Graph graph = allow(withTimestep(DataType.INT64_VALUE)
            .node("Identity", "/other/Identity", List.of("same"), "told").output("told", 1));
        NodeProto same = graph.producer(graph.producer("told").orElseThrow().getInput(0)).orElseThrow();
        assertEquals(DataType.INT64_VALUE, Nodes.integer(graph.producer(same.getInput(0)).orElseThrow(), "to", 0));
    }

    @Test
    void aRealTimestepStaysAsItIs() {
        Graph graph = withTimestep(DataType.FLOAT_VALUE).build();
        assertSame(graph, FractionalTimesteps.allow(graph, "timestep"));
    }

    @Test
    void theWarningSaysHowManyTimestepsAreCutAndByHowMuch() {
        Graph graph = new GraphSketch().input("sample", 1).typedInput("timestep", DataType.INT64_VALUE, 1)
            .weight("table", new float[1000], 1000)
            .node("Gather", "/time/Gather", List.of("table", "timestep"), "row")
            .node("Add", "/Add", List.of("row", "sample"), "out").output("out", 1).build();
        String warning = FractionalTimesteps.complaint("unet", graph, "timestep",
            () -> DoubleStream.of(999, 832.5, 666.25, 0)).orElseThrow();
        assertTrue(warning.startsWith("2 timesteps") && warning.contains("0.50") && warning.contains("/time/Gather"),
            warning);
        assertEquals(Optional.empty(),
            FractionalTimesteps.complaint("unet", graph, "timestep", () -> DoubleStream.of(999, 0)));
        DenoiserGraph takesAll = new DenoiserGraph("unet",
            withTimestep(DataType.INT64_VALUE).input("sample", 1).build(), new JsonObject(), List.of());
        assertEquals(Optional.empty(), FractionalTimesteps.complaint("unet", takesAll.graph(), "timestep",
            () -> DoubleStream.of(832.5)));
    }
}
