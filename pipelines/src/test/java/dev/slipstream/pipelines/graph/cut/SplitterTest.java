package dev.slipstream.pipelines.graph.cut;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphSketch;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class SplitterTest {
    private static final Set<String> LAGGABLE = Set.of("sample");
    private static final Cut SHELL = new Cut("shell", List.of(List.of("inner"), List.of("down", "up")));

    /** down → inner → up with a skip from down to up, and a time embedding that all read. */
    private static GraphSketch shell() {
        return new GraphSketch().input("sample", 1, 4).input("timestep", 1).output("out", 1, 8)
            .node("Sin", "/time/Sin", List.of("timestep"), "temb")
            .node("Mul", "/down/Mul", List.of("sample", "temb"), "skip")
            .node("Mul", "/inner/Mul", List.of("skip", "temb"), "deep")
            .node("Concat", "/Concat", List.of("deep", "skip"), "pair", GraphSketch.integer("axis", 1))
            .node("Mul", "/up/Mul", List.of("pair", "temb"), "out");
    }

    @Test
    void componentThatIsNotConvexBecomesTwoSegments() {
        Partition partition = Splitter.split(shell().build(), SHELL, LAGGABLE);

        assertEquals(List.of("c1.0", "c0", "c1.1"), partition.segments().stream().map(Segment::name).toList());
        assertEquals(2, partition.component(1).size());
        assertEquals(2, partition.components());
    }

    @Test
    void whatDoesNotDependOnTheLatentsIsReplicatedAndNoEdge() {
        Partition partition = Splitter.split(shell().build(), SHELL, LAGGABLE);

        assertEquals(List.of("skip", "deep"), partition.edges());
        for (Segment segment : partition.segments()) {
            assertTrue(segment.graph().producer("temb").isPresent(), segment.name());
            assertTrue(segment.inputs().contains("timestep"), segment.name());
        }
    }

    private static TensorCut around(Map<Integer, Integer> repeats) {
        return new TensorCut("around", List.of(List.of("skip"), List.of("deep")), List.of(0, 1, 0), repeats, Map.of(),
            List.of());
    }

    @Test
    void whatAComponentDoesAgainItDoesNotReadAndItsOwnerKeeps() {
        Graph graph = shell().build();

        Partition read = Splitter.splitCrossing(graph, List.of(around(Map.of())), LAGGABLE);
        Partition again = Splitter.splitCrossing(graph, List.of(around(Map.of(1, 1))), LAGGABLE);

        assertEquals(List.of("timestep", "skip"), read.segments().get(1).inputs());
        assertEquals(List.of("sample", "timestep"), again.segments().get(1).inputs());
        assertEquals(List.of("deep"), again.segments().get(1).outputs());
        assertEquals(read.segments().getFirst().toString(), again.segments().getFirst().toString());
        assertEquals(read.segments().getLast().toString(), again.segments().getLast().toString());
    }

    @Test
    void whatIsDrawnByChanceIsNotDoneAgain() {
        Graph graph = new GraphSketch().input("sample", 1, 4).output("out", 1, 4)
            .node("Mul", "/down/Mul", List.of("sample", "sample"), "a")
            .node("RandomNormalLike", "/down/RandomNormalLike", List.of("a"), "noise")
            .node("Add", "/down/Add", List.of("a", "noise"), "skip")
            .node("Sin", "/inner/Sin", List.of("skip"), "deep")
            .node("Add", "/up/Add", List.of("deep", "skip"), "out").build();

        Partition partition = Splitter.splitCrossing(graph, List.of(around(Map.of(1, 1))), LAGGABLE);

        assertEquals(List.of("sample", "noise"), partition.segments().get(1).inputs());
    }

    @Test
    void whereTwoCutsCrossNothingIsDoneAgain() {
        Graph graph = shell().build();

        assertEquals(
            Splitter.splitCrossing(graph, List.of(around(Map.of()), SHELL), LAGGABLE).segments().toString(),
            Splitter.splitCrossing(graph, List.of(around(Map.of(1, 1)), SHELL), LAGGABLE).segments().toString());
    }

    @Test
    void aSegmentOfWhichAllIsDoneAgainIsLeftOut() {
        Graph graph = new GraphSketch().input("sample", 1, 4).output("out", 1, 4)
            .node("Sin", "/down/Sin", List.of("sample"), "skip")
            .node("Sin", "/inner/Sin", List.of("skip"), "deep")
            .node("Sin", "/up/Sin", List.of("deep"), "out").build();

        assertEquals(List.of("segment c1 (2 nodes) [sample] -> [deep]", "segment c0 (1 nodes) [deep] -> [out]"),
            Splitter.splitCrossing(graph, List.of(around(Map.of(1, 1))), LAGGABLE).segments().stream()
                .map(Segment::toString).toList());
    }

    @Test
    void glueIsReplicatedIntoItsConsumers() {
        Partition partition = Splitter.split(shell().build(), SHELL, LAGGABLE);

        assertEquals(List.of("timestep", "skip", "deep"), partition.segments().getLast().inputs());
        assertTrue(partition.segments().getLast().graph().producer("pair").isPresent());
    }

    @Test
    void partitionKnowsWhoMakesAndWhoReadsATensor() {
        Partition partition = Splitter.split(shell().build(), SHELL, LAGGABLE);

        assertEquals(Optional.of("c1.0"), partition.producer("skip").map(Segment::name));
        assertEquals(List.of("c0", "c1.1"), partition.consumers("skip").stream().map(Segment::name).toList());
        assertEquals(Optional.empty(), partition.producer("sample"));
    }

    @Test
    void orderInWhichNodesWereWrittenDoesNotMatter() {
        for (int seed = 0; seed < 20; seed++) {
            Graph graph = shell().shuffled(new Random(seed)).build();

            assertEquals(3, Splitter.split(graph, SHELL, LAGGABLE).segments().size());
        }
    }

    @Test
    void shapeComesFromATensorThatTheSegmentHas() {
        Graph graph = chain().node("Shape", "/Shape", List.of("a"), "shape")
            .node("Expand", "/second/Expand", List.of("b", "shape"), "out").build();

        assertEquals(List.of("a"), Splitter.split(graph, contiguous(), LAGGABLE).edges());
    }

    @Test
    void shapeOfATensorThatTheSegmentLacksIsAnEdge() {
        Graph graph = chain().node("Shape", "/Shape", List.of("sample"), "shape")
            .node("Expand", "/second/Expand", List.of("b", "shape"), "out").build();
        Partition partition = Splitter.split(graph, contiguous(), LAGGABLE);

        assertEquals(List.of("a", "shape"), partition.edges());
        assertEquals(DataType.INT64_VALUE,
            partition.segments().getLast().graph().inputs().getLast().getType().getTensorType().getElemType());
    }

    @Test
    void shapeThatIsAnOutputIsMadeOnceWhereOthersNeedIt() {
        Graph graph = chain().output("shape", 2).node("Shape", "/Shape", List.of("sample"), "shape")
            .node("Expand", "/second/Expand", List.of("b", "shape"), "c")
            .node("Tanh", "/third/Tanh", List.of("c"), "out").build();
        Cut cut = new Cut("three", List.of(List.of("first"), List.of("second"), List.of("third")));
        Partition partition = Splitter.split(graph, cut, LAGGABLE);

        assertEquals(List.of(List.of("a", "shape"), List.of("c"), List.of("out")).stream().map(Set::copyOf).toList(),
            partition.segments().stream().map(segment -> Set.copyOf(segment.outputs())).toList());
    }

    @Test
    void shapesThatSeveralNodesReadAreAskedForOnce() {
        Graph graph = chain().node("Shape", "/Shape", List.of("sample"), "shape")
            .node("Expand", "/second/Expand", List.of("b", "shape"), "c")
            .node("Expand", "/second/Expand_1", List.of("c", "shape"), "d")
            .node("Shape", "/Shape_1", List.of("a"), "other")
            .node("Expand", "/second/Expand_2", List.of("d", "other"), "out").build();

        assertEquals(List.of("a", "shape"), Splitter.split(graph, contiguous(), LAGGABLE).edges());
    }

    /** Asked for later, the shape of "a" would be no edge: the shape of "t" brings "a" into the segment. */
    @Test
    void orderOfNodesThatAskForShapesDoesNotMatter() {
        for (List<String> order : List.of(List.of("1", "2"), List.of("2", "1"))) {
            GraphSketch sketch = new GraphSketch().input("sample", 1, 4).output("out", 1, 4)
                .node("Tanh", "/first/Tanh", List.of("sample"), "a").node("Tanh", "/first/Tanh_1", List.of("a"), "z")
                .node("Neg", "/Neg", List.of("a"), "t").node("Shape", "/Shape", List.of("t"), "shape1")
                .node("Shape", "/Shape_1", List.of("a"), "shape2");
            order.forEach(name ->
                sketch.node("Expand", "/second/Expand_" + name, List.of("z", "shape" + name), "expanded" + name));
            sketch.node("Add", "/second/Add", List.of("expanded1", "expanded2"), "out");

            assertEquals(List.of("a", "z", "shape2"),
                Splitter.split(sketch.build(), contiguous(), LAGGABLE).edges());
        }
    }

    @Test
    void segmentsPrintWhatTheyReadAndMake() {
        assertEquals("[segment c1.0 (2 nodes) [sample, timestep] -> [skip], segment c0 (2 nodes) [timestep, skip] -> "
            + "[deep], segment c1.1 (3 nodes) [timestep, skip, deep] -> [out]]",
            Splitter.split(shell().build(), SHELL, LAGGABLE).segments().toString());
    }

    private static GraphSketch chain() {
        return new GraphSketch().input("sample", 1, 4).output("out", 1, 4)
            .node("Tanh", "/first/Tanh", List.of("sample"), "a")
            .node("Tanh", "/second/Tanh", List.of("a"), "b");
    }

    private static Cut contiguous() {
        return new Cut("contiguous", List.of(List.of("first"), List.of("second")));
    }

    @Test
    void glueThatMakesAnOutputGoesWhereItsInputsAre() {
        Graph graph = chain().output("sum", 1, 4).node("Tanh", "/second/Tanh_1", List.of("b"), "out")
            .node("Add", "/Add", List.of("a", "b"), "sum").build();
        Partition partition = Splitter.split(graph, contiguous(), LAGGABLE);

        assertEquals(List.of("c0", "c1"), partition.segments().stream().map(Segment::name).toList());
        assertEquals(Optional.of("c1"), partition.producer("sum").map(Segment::name));
    }

    @Test
    void outputThatDependsOnNothingLaggableIsMadeOnce() {
        Graph graph = shell().output("temb", 1).build();
        Partition partition = Splitter.split(graph, SHELL, LAGGABLE);

        assertEquals(3, partition.segments().size());
        assertEquals(Optional.of("c1.1"), partition.producer("temb").map(Segment::name));
        assertFalse(partition.edges().contains("temb"));
    }

    @Test
    void prefixMatchesWholeElementsOnly() {
        Graph graph = new GraphSketch().input("sample", 1, 4).output("out", 1, 4)
            .node("Tanh", "/blocks.1/Tanh", List.of("sample"), "a")
            .node("Tanh", "/blocks.10/Tanh", List.of("a"), "out").build();

        Partition partition = Splitter.split(graph,
            new Cut("c", List.of(List.of("blocks.1"), List.of("blocks.10"))), LAGGABLE);

        assertEquals(List.of("a"), partition.edges());
    }

    @Test
    void longestPrefixWins() {
        Graph graph = new GraphSketch().input("sample", 1, 4).output("out", 1, 4)
            .node("Tanh", "/up/resnets.0/Tanh", List.of("sample"), "a")
            .node("Tanh", "/up/resnets.1/Tanh", List.of("a"), "out").build();

        Partition partition = Splitter.split(graph,
            new Cut("c", List.of(List.of("up"), List.of("up.resnets.1"))), LAGGABLE);

        assertEquals(List.of("a"), partition.edges());
    }

    @Test
    void nodesWithoutNamesAreKnownByTheirOutputs() {
        Graph graph = new GraphSketch().input("sample", 1, 4).output("/second/Tanh_output_0", 1, 4)
            .node("Tanh", "", List.of("sample"), "/first/Tanh_output_0")
            .node("Tanh", "Tanh_7", List.of("/first/Tanh_output_0"), "/second/Tanh_output_0").build();

        assertEquals(List.of("/first/Tanh_output_0"), Splitter.split(graph, contiguous(), LAGGABLE).edges());
    }

    @Test
    void edgesHaveTheElementTypeOfTheirMakers() {
        Graph graph = new GraphSketch().input("sample", 1, 4).output("out", 1, 4)
            .node("Cast", "/first/Cast", List.of("sample"), "half", GraphSketch.integer("to", DataType.FLOAT16_VALUE))
            .node("Tanh", "/first/Tanh", List.of("half"), "a")
            .node("Cast", "/second/Cast", List.of("a"), "out", GraphSketch.integer("to", DataType.FLOAT_VALUE))
            .build();

        Graph second = Splitter.split(graph, contiguous(), LAGGABLE).segments().getLast().graph();

        assertEquals(DataType.FLOAT16_VALUE, second.inputs().getFirst().getType().getTensorType().getElemType());
    }

    @Test
    void cutsAtTensors() {
        Partition partition = Splitter.split(shell().build(), List.of(List.of("skip"), List.of("deep")), LAGGABLE);

        assertEquals(List.of("c0", "c1", "c2"), partition.segments().stream().map(Segment::name).toList());
        assertEquals(List.of("skip", "deep"), partition.edges());
    }

    @Test
    void errorsNameWhatIsWrong() {
        Graph graph = shell().build();

        assertFails("'middle' in component 0 of cut 'c' matches no node", () ->
            Splitter.split(graph, new Cut("c", List.of(List.of("middle"), List.of("up"))), LAGGABLE));
        assertFails("component 1 of cut 'c' would be empty", () ->
            Splitter.split(graph, new Cut("c", List.of(List.of("down", "inner", "up"), List.of("time"))), LAGGABLE));
        assertFails("lists 'up' twice, in components 0 and 1", () ->
            new Cut("c", List.of(List.of("up"), List.of("up"))));
        assertFails("'latents' is no input of the graph, which has ['sample', 'timestep']", () ->
            Splitter.split(graph, SHELL, Set.of("latents")));
        assertFails("cut tensor 'nowhere' of component 0", () ->
            Splitter.split(graph, List.of(List.of("nowhere")), LAGGABLE));
        assertFails("component 1 would be empty: all that [skip] need is in earlier components", () ->
            Splitter.split(graph, List.of(List.of("deep"), List.of("skip")), LAGGABLE));
        assertFails("component 1 would be empty: all that [the outputs] need is in earlier components", () ->
            Splitter.split(graph, List.of(List.of("out")), LAGGABLE));
        assertFails("output 'sample' of the graph is made by no node, so it belongs to no segment", () ->
            Splitter.split(shell().output("sample", 1, 4).build(), SHELL, LAGGABLE));
    }

    @Test
    void expensiveGlueIsAnError() {
        Graph graph = chain().node("MatMul", "/MatMul", List.of("b", "b"), "c")
            .node("Tanh", "/second/Tanh_1", List.of("c"), "out").build();

        assertFails("node /MatMul (MatMul) belongs to no component of cut 'contiguous'", () ->
            Splitter.split(graph, contiguous(), LAGGABLE));
    }

    private static void assertFails(String message, Executable action) {
        String said = assertThrows(GraphException.class, action).getMessage();
        assertTrue(said.contains(message), said);
    }
}
