package dev.slipstream.pipelines.graph.cut;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphSketch;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BalancedCutTest {
    private static final Set<String> LAGGABLE = Set.of("sample");
    private static final ToDoubleFunction<NodeProto> CONVOLUTIONS = node -> node.getOpType().equals("Conv") ? 1 : 0;

    @Test
    void modulesAreDividedEvenlyInTheirOrder() {
        Graph graph = UNetSketch.of(false, true);
        Cut cut = BalancedCut.of(graph, 3, LAGGABLE, CONVOLUTIONS);

        Partition partition = Splitter.split(graph, cut, LAGGABLE);

        assertEquals(List.of("c0", "c1", "c2"), partition.segments().stream().map(Segment::name).toList());
        assertTrue(cut.components().getFirst().containsAll(List.of("conv_in", "down_blocks.0.downsamplers.0")));
        assertEquals(8, partition.segments().stream().mapToLong(segment ->
            segment.graph().nodes().stream().filter(node -> node.getOpType().equals("Conv")).count()).max().orElse(0),
            "23 convolutions");
    }

    @Test
    void modulesAreNotCutThrough() {
        Graph graph = new GraphSketch().input("sample", 1, 4).output("out", 1, 4)
            .node("Conv", "/blocks.0/attn/to_q/Conv", List.of("sample"), "a")
            .node("Conv", "/blocks.0/attn/to_out.0/Conv", List.of("a"), "b")
            .node("Conv", "/blocks.1/mlp/Conv", List.of("b"), "c")
            .node("Conv", "/final/linear/Conv", List.of("c"), "out").build();

        assertEquals(List.of(List.of("blocks.0"), List.of("blocks.1", "final.linear")),
            BalancedCut.of(graph, 2, LAGGABLE, CONVOLUTIONS).components());
    }

    @Test
    void moreComponentsThanModulesIsAnError() {
        Graph graph = UNetSketch.of(true);

        String said = assertThrows(GraphException.class, () ->
            BalancedCut.of(graph, 100, LAGGABLE, CONVOLUTIONS)).getMessage();
        assertTrue(said.startsWith("cannot cut 17 modules into 100 components: [conv_in, down_blocks.0.res"), said);
    }

    @Test
    void whatLiesBetweenThePiecesOfABlockIsNoModule() {
        Graph graph = new GraphSketch().input("sample", 1, 4).output("out", 1, 4)
            .node("Conv", "/up/resnets.0/Conv", List.of("sample"), "a")
            .node("Concat", "/up/Concat", List.of("a", "sample"), "b")
            .node("Conv", "/up/resnets.1/Conv", List.of("b"), "c")
            .node("Tanh", "/upper/Tanh", List.of("c"), "out").build();

        assertEquals(List.of(List.of("up.resnets.0"), List.of("up.resnets.1"), List.of("upper")),
            BalancedCut.of(graph, 3, LAGGABLE, CONVOLUTIONS).components());
    }

    @Test
    void expensiveNodesBetweenThePiecesOfABlockAreAModule() {
        Graph graph = new GraphSketch().input("sample", 1, 4).output("out", 1, 4)
            .node("Conv", "/up/resnets.0/Conv", List.of("sample"), "a")
            .node("Conv", "/up/Conv", List.of("a"), "out").build();

        assertEquals(List.of(List.of("up.resnets.0"), List.of("up")),
            BalancedCut.of(graph, 2, LAGGABLE, CONVOLUTIONS).components());
    }

    @Test
    void whatDoesNotDependOnTheLatentsCountsForNothing() {
        Graph graph = new GraphSketch().input("sample", 1, 4).input("timestep", 1).output("out", 1, 4)
            .node("Conv", "/time/linear/Conv", List.of("timestep"), "temb")
            .node("Conv", "/blocks.0/Conv", List.of("sample", "temb"), "a")
            .node("Conv", "/blocks.1/time/Conv", List.of("temb"), "t1")
            .node("Conv", "/blocks.1/Conv", List.of("a", "t1"), "b")
            .node("Conv", "/blocks.2/Conv", List.of("b"), "out").build();

        assertEquals(List.of(List.of("blocks.0"), List.of("blocks.1"), List.of("blocks.2")),
            BalancedCut.of(graph, 3, LAGGABLE, CONVOLUTIONS).components());
    }

    @Test
    void nodesThatNoOutputNeedsCountForNothing() {
        Graph graph = new GraphSketch().input("sample", 1, 4).output("out", 1, 4)
            .node("Conv", "/blocks.0/Conv", List.of("sample"), "a")
            .node("Conv", "/dead/Conv", List.of("a"), "unused")
            .node("Conv", "/blocks.1/Conv", List.of("a"), "out").build();

        assertEquals(List.of(List.of("blocks.0"), List.of("blocks.1")),
            BalancedCut.of(graph, 2, LAGGABLE, CONVOLUTIONS).components());
    }

    @ParameterizedTest
    @ValueSource(doubles = {-1, -Double.MIN_VALUE, Double.NaN, Double.POSITIVE_INFINITY})
    void costsMustBeFiniteAndNotNegative(double cost) {
        Graph graph = UNetSketch.of(true);

        String said = assertThrows(IllegalArgumentException.class, () ->
            BalancedCut.of(graph, 2, LAGGABLE, node -> cost)).getMessage();
        assertEquals("the cost of node /conv_in/Conv is " + cost, said);
    }

    @Test
    void aCutHasAtLeastOneComponent() {
        assertEquals(1, BalancedCut.of(UNetSketch.of(true), 1, LAGGABLE, node -> 0).size());
        assertThrows(IllegalArgumentException.class, () ->
            BalancedCut.of(UNetSketch.of(true), 0, LAGGABLE, CONVOLUTIONS));
    }

    @Test
    void asManyComponentsAsModulesIsOneEach() {
        Cut cut = BalancedCut.of(UNetSketch.of(true), 17, LAGGABLE, CONVOLUTIONS);

        assertEquals("balanced-17", cut.name());
        assertTrue(cut.components().stream().allMatch(modules -> modules.size() == 1));
    }

    @Property(tries = 300)
    void doesNotDependOnTheOrderInWhichNodesWereWritten(@ForAll long seed,
        @ForAll @IntRange(min = 5, max = 40) int nodes, @ForAll @IntRange(min = 2, max = 5) int modules) {
        Graph graph = RandomGraph.of(seed, nodes, modules, false);
        Assume.that(RandomGraph.hasWork(graph));
        int components = RandomGraph.cut(graph).size();

        assertEquals(BalancedCut.of(graph, components, LAGGABLE, node -> node.getInputCount()),
            BalancedCut.of(RandomGraph.shuffled(graph, seed), components, LAGGABLE, node -> node.getInputCount()));
    }

    @Test
    void ofDivisionsThatAreEquallyGoodTheFirstPartsAreShort() {
        assertEquals(List.of(1, 2, 4), BalancedCut.ends(new double[] {0, 0, 0, 0}, 3));
        assertEquals(List.of(1, 3), BalancedCut.ends(new double[] {2, 1, 1}, 2));
        assertEquals(List.of(1, 3), BalancedCut.ends(new double[] {1, 0, 2}, 2));
        assertEquals(List.of(3), BalancedCut.ends(new double[] {1, 0, 2}, 1));
    }

    @Property(tries = 300)
    void noOtherDivisionHasASmallerLargestPart(@ForAll long seed, @ForAll @IntRange(min = 1, max = 9) int count,
        @ForAll @IntRange(min = 1, max = 4) int parts) {
        double[] costs = new Random(seed).doubles(count).map(cost -> cost < 0.2 ? 0 : cost).toArray();
        if (parts > count) {
            return;
        }

        List<Integer> ends = BalancedCut.ends(costs, parts);

        assertEquals(parts, ends.size());
        assertEquals(best(costs, 0, parts), largest(costs, ends), 1e-12);
    }

    private static double largest(double[] costs, List<Integer> ends) {
        double largest = 0;
        int start = 0;
        for (int end : ends) {
            assertTrue(end > start, "no part is empty");
            largest = Math.max(largest, Arrays.stream(costs, start, end).sum());
            start = end;
        }
        return largest;
    }

    /** By trying all. */
    private static double best(double[] costs, int start, int parts) {
        if (parts == 1) {
            return Arrays.stream(costs, start, costs.length).sum();
        }
        double best = Double.POSITIVE_INFINITY;
        for (int end = start + 1; end <= costs.length - parts + 1; end++) {
            best = Math.min(best, Math.max(Arrays.stream(costs, start, end).sum(), best(costs, end, parts - 1)));
        }
        return best;
    }
}
