package dev.slipstream.pipelines.graph.cut;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphSketch;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StepDependenceTest {
    private static final Set<String> LAGGABLE = Set.of("sample");
    private static final Cut CUT = new Cut("two", List.of(List.of("first"), List.of("second")));

    @Test
    void whatReadsTheLatentsChangesAndWhatReadsOnlyTheTimestepDoesNot() {
        Graph graph = new GraphSketch().input("sample", 1, 4).input("timestep", 1).output("out", 1, 4)
            .node("Sin", "/Sin", List.of("timestep"), "temb")
            .node("Mul", "/Mul", List.of("sample", "temb"), "out").build();
        StepDependence dependence = new StepDependence(graph, LAGGABLE);

        assertEquals(List.of(false, true), graph.nodes().stream().map(dependence::changes).toList());
        assertTrue(dependence.changes("sample") && dependence.changes("out"));
        assertFalse(dependence.changes("timestep") || dependence.changes("temb"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"Shape", "Size"})
    void shapesOfTheLatentsDoNotChange(String operator) {
        assertFalse(changes(node(operator).addInput("sample")));
        assertTrue(changes(node(operator).addInput("sample").setDomain("custom")), "another domain means another node");
        assertTrue(changes(node(operator).addInput("sample").addInput("sample")), "ONNX gives it one input");
    }

    private static NodeProto.Builder node(String operator) {
        return NodeProto.newBuilder().setOpType(operator).setName("/" + operator).addOutput("out");
    }

    private static boolean changes(NodeProto.Builder node) {
        Graph graph = new GraphSketch().input("sample", 1, 4).output("out", 1).node(node.build()).build();
        return new StepDependence(graph, LAGGABLE).changes("out");
    }

    /** Replicated, it would give each segment a value of its own. */
    @ParameterizedTest
    @ValueSource(strings = {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Bernoulli",
        "Multinomial"})
    void randomNodesRunInOneSegmentThoughTheyDoNotDependOnTheLatents(String operator) {
        Partition partition = Splitter.split(random(operator, "/first/Random"), CUT, LAGGABLE);

        assertEquals(List.of("noise", "a"), partition.edges());
        assertEquals(1, partition.segments().stream()
            .filter(segment -> segment.graph().producer("noise").isPresent()).count());
    }

    @Test
    void randomNodesOutsideOfAllComponentsAreAnError() {
        Graph graph = random("RandomNormalLike", "/Random");

        String said = assertThrows(GraphException.class, () -> Splitter.split(graph, CUT, LAGGABLE)).getMessage();
        assertEquals("node /Random (RandomNormalLike) belongs to no component of cut 'two'; list its module in one",
            said);
    }

    private static Graph random(String operator, String name) {
        return new GraphSketch().input("sample", 1, 4).input("timestep", 1).output("out", 1, 4)
            .node(operator, name, List.of("timestep"), "noise")
            .node("Add", "/first/Add", List.of("sample", "noise"), "a")
            .node("Add", "/second/Add", List.of("a", "noise"), "out").build();
    }
}
