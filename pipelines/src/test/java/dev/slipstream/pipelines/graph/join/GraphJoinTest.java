package dev.slipstream.pipelines.graph.join;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OrtException;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphSketch;
import dev.slipstream.pipelines.graph.OnnxRunner;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class GraphJoinTest {
    private static final String DOUBLED = GraphJoin.name("first", "y");

    /** {@code y = 2 x + t}, with a weight that the other graph has, too. */
    private static Graph first() {
        return new GraphSketch().input("x", 2).input("t", 2).weight("w", new float[] {2, 2}, 2)
            .node("Mul", "/body/Mul", List.of("x", "w"), "h").node("Add", "/body/Add", List.of("h", "t"), "y")
            .output("y", 2).build();
    }

    /** {@code z = 3 x + r}. */
    private static Graph second() {
        return new GraphSketch().input("x", 2).input("r", 2).weight("w", new float[] {3, 3}, 2)
            .node("Mul", "/body/Mul", List.of("x", "w"), "h").node("Add", "/body/Add", List.of("h", "r"), "z")
            .output("z", 2).build();
    }

    private static float[] run(Graph graph, float x, float t) throws OrtException {
        OnnxRunner runner = new OnnxRunner();
        return OnnxRunner.floats(runner.run(graph, Map.of("x", runner.tensor(new float[] {x, x}, 2),
            "t", runner.tensor(new float[] {t, t}, 2))).values().iterator().next());
    }

    @Test
    void anInputReadsWhatAnotherGraphMakes() throws OrtException {
        Graph whole = new GraphJoin().add("first", first(), Map.of())
            .add("", second(), Map.of("r", List.of(DOUBLED))).joined();

        assertEquals(List.of("x", "t"), whole.inputs().stream().map(ValueInfoProto::getName).toList());
        assertEquals(List.of("z"), whole.outputs().stream().map(ValueInfoProto::getName).toList());
        assertArrayEquals(new float[] {5 * 7 + 100, 5 * 7 + 100}, run(whole, 7, 100));
    }

    @Test
    void nodesAreInAModuleOfTheirGraph() {
        Graph whole = new GraphJoin().add("first", first(), Map.of())
            .add("", second(), Map.of("r", List.of(DOUBLED))).joined();

        assertEquals(List.of("/body/Add", "/body/Mul", "/first/body/Add", "/first/body/Mul"),
            whole.nodes().stream().map(NodeProto::getName).sorted().toList());
        assertTrue(whole.weights().containsKey("w") && whole.weights().containsKey("/first/w"));
    }

    @Test
    void severalOutputsAreAddedUp() throws OrtException {
        Graph whole = new GraphJoin().add("first", first(), Map.of()).add("again", first(), Map.of())
            .add("", second(), Map.of("r", List.of(DOUBLED, GraphJoin.name("again", "y")))).joined();

        assertArrayEquals(new float[] {7 * 7 + 200, 7 * 7 + 200}, run(whole, 7, 100));
    }

    /** The first graph's {@code t} is the whole's {@code x}, and its {@code x} the whole's {@code t}. */
    @Test
    void inputsMayTradeTheirNames() throws OrtException {
        Graph whole = new GraphJoin()
            .add("", first(), Map.of("t", List.of("x"), "x", List.of("t"))).joined();

        assertArrayEquals(new float[] {2 * 100 + 7, 2 * 100 + 7}, run(whole, 7, 100));
    }

    @Test
    void anInputMayHaveANameOfItsOwnInTheWhole() throws OrtException {
        Graph whole = new GraphJoin().add("first", first(), Map.of("x", List.of("t")))
            .add("", second(), Map.of("r", List.of(DOUBLED))).joined();

        assertArrayEquals(new float[] {3 * 7 + 3 * 100, 3 * 7 + 3 * 100}, run(whole, 7, 100));
    }

    @Test
    void whatDoesNotFitIsNamed() {
        refused("two graphs that are joined have the name 'first'", join -> join.add("first", first(), Map.of()));
        refused("'q' is no input of the graph '', which has [x, r]",
            join -> join.add("", second(), Map.of("q", List.of(DOUBLED))));
        refused("'/first/q', which input 'r' of the graph '' is to read, is no output of a graph before it; there are "
            + "[/first/y]", join -> join.add("", second(), Map.of("r", List.of("/first/q"))));
        refused("input 'r' of the graph '' is fed by nothing", join -> join.add("", second(), Map.of("r", List.of())));
        refused("input 't' of the graph '' has another element type than 't', which it is to read",
            join -> join.add("", new GraphSketch().typedInput("t", DataType.INT64_VALUE, 2)
                .node("Neg", "/Neg", List.of("t"), "n").output("n", 2).build(), Map.of()));
        refused("input 'x' has another shape in the graph '' than in one that it is joined with",
            join -> join.add("", new GraphSketch().input("x", 3).node("Neg", "/Neg", List.of("x"), "n")
                .output("n", 3).build(), Map.of()));
    }

    private interface Step {
        void take(GraphJoin join);
    }

    private static void refused(String message, Step step) {
        GraphJoin join = new GraphJoin().add("first", first(), Map.of());

        assertEquals(message, assertThrows(GraphException.class, () -> step.take(join)).getMessage());
    }
}
