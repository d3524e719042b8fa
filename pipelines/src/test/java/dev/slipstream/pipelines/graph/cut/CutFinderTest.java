package dev.slipstream.pipelines.graph.cut;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphSketch;
import dev.slipstream.pipelines.graph.cut.CutFinder.Form;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import dev.slipstream.pipelines.graph.shape.StaticShapes;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CutFinderTest {
    private static final Set<String> LAGGABLE = Set.of("sample");
    private static final ToDoubleFunction<NodeProto> CONVOLUTIONS = node -> node.getOpType().equals("Conv") ? 1 : 0;

    private static CutFinder finder(Graph graph) {
        return CutFinder.of(graph, LAGGABLE, CONVOLUTIONS, List.of());
    }

    private static FoundCut best(CutFinder finder, int parts, Form form) {
        return finder.best(PartDevice.equal(parts), form, CutFinder.TOLERANCE);
    }

    private static List<String> segments(Graph graph, FoundCut cut) {
        return Splitter.splitCrossing(graph, List.of(cut.cut()), LAGGABLE).segments().stream().map(Segment::name)
            .toList();
    }

    @Test
    void aUNetFallsIntoShellsWhoseSkipsStayOnTheirDevices() {
        Graph unet = UNetSketch.of(false, true);

        FoundCut two = best(finder(unet), 2, Form.SHELLS);
        FoundCut chain = best(finder(unet), 2, Form.CONTIGUOUS);

        assertEquals(List.of("c0.0", "c1", "c0.1"), segments(unet, two));
        assertEquals(2, two.bytes(), "one tensor each way");
        assertEquals(List.of("c0", "c1"), segments(unet, chain));
        assertTrue(chain.bytes() > 2, "skips: " + chain);
    }

    @Test
    void shellsLieInShells() {
        Graph unet = UNetSketch.of(false, true, true);

        FoundCut cut = best(finder(unet), 3, Form.SHELLS);

        assertEquals(List.of("c0.0", "c1.0", "c2", "c1.1", "c0.1"), segments(unet, cut));
        assertEquals(4, cut.bytes(), "one tensor each way at each border");
    }

    /** Two products and two sums in one module; that is too much for one of two devices. */
    @Test
    void aLargeAttentionIsTakenApartAtASumOfTokensAndABlockOfATransformerIsNot() {
        CutFinder attention = twoProducts("attentions.0");

        FoundCut cut = best(attention, 2, Form.SHELLS);

        assertEquals(List.of(List.of("b")), ((TensorCut) cut.cut()).ends());
        assertEquals(0.5, cut.bottleneck());
        assertEquals(1, twoProducts("transformer_blocks.0").most());
    }

    private static CutFinder twoProducts(String module) {
        Graph sketch = new GraphSketch().input("sample", 1, 16, 8).output("out", 1, 16, 8)
            .weight("w", new float[64], 8, 8)
            .node("MatMul", "/" + module + "/attn/MatMul", List.of("sample", "w"), "a")
            .node("Add", "/" + module + "/Add", List.of("sample", "a"), "b")
            .node("MatMul", "/" + module + "/ff/MatMul", List.of("b", "w"), "c")
            .node("Add", "/" + module + "/Add_1", List.of("b", "c"), "d")
            .node("Tanh", "/out/Tanh", List.of("d"), "out").build();
        Graph graph = StaticShapes.fix(sketch, InputTypes.of(sketch, Map.of()));
        return CutFinder.of(graph, LAGGABLE, node -> node.getOpType().equals("MatMul") ? 1 : 0, List.of());
    }

    @Test
    void aFasterDeviceGetsMore() {
        Graph unet = UNetSketch.of(false, true);

        FoundCut cut = finder(unet).candidates(List.of(new PartDevice(1, Long.MAX_VALUE),
            new PartDevice(3, Long.MAX_VALUE)), Form.CONTIGUOUS, 0).getFirst();

        double share = cut.shares().get(1).load() / (cut.shares().get(0).load() + cut.shares().get(1).load());
        assertEquals(0.75, share, 0.05);
    }

    @Test
    void modulesApartAreInNoPart() {
        Graph graph = new GraphSketch().input("sample", 1, 4).output("out", 1, 4)
            .node("Conv", "/control/Conv", List.of("sample"), "steer")
            .node("Conv", "/blocks.0/Conv", List.of("sample"), "a")
            .node("Add", "/Add", List.of("a", "steer"), "b")
            .node("Conv", "/blocks.1/Conv", List.of("b"), "out").build();
        CutFinder finder = CutFinder.of(graph, LAGGABLE, CONVOLUTIONS, List.of("control"));

        FoundCut cut = best(finder, 2, Form.SHELLS);

        assertEquals(2, finder.most());
        assertEquals(List.of("c0", "c1", "control"), segments(graph, cut).stream().sorted().toList());
        assertEquals(-1, cut.cut().own("control").orElseThrow());
    }

    @Test
    void whatDoesNotDependOnTheLatentsCountsForNothing() {
        Graph graph = new GraphSketch().input("sample", 1, 4).input("timestep", 1).output("out", 1, 4)
            .node("Conv", "/time/linear/Conv", List.of("timestep"), "temb")
            .node("Conv", "/blocks.0/Conv", List.of("sample", "temb"), "a")
            .node("Conv", "/blocks.1/time/Conv", List.of("temb"), "t1")
            .node("Conv", "/blocks.1/Conv", List.of("a", "t1"), "out").build();

        FoundCut cut = best(finder(graph), 2, Form.CONTIGUOUS);

        assertEquals(List.of(1.0, 1.0), cut.shares().stream().map(FoundCut.Share::load).toList());
        assertEquals(1, cut.bytes());
    }

    @Test
    void morePartsThanPiecesIsAnError() {
        String said = assertThrows(GraphException.class,
            () -> best(finder(UNetSketch.of(true)), 100, Form.SHELLS)).getMessage();
        assertEquals("cannot cut 16 pieces into 100 parts", said);
    }

    @Test
    void asManyPartsAsPiecesIsOneEach() {
        Graph unet = UNetSketch.of(true);

        assertEquals(16, segments(unet, best(finder(unet), 16, Form.CONTIGUOUS)).size());
        assertEquals(List.of("c0"), segments(unet, best(finder(unet), 1, Form.SHELLS)));
    }

    @ParameterizedTest
    @ValueSource(doubles = {-1, -Double.MIN_VALUE, Double.NaN, Double.POSITIVE_INFINITY})
    void costsMustBeFiniteAndNotNegative(double cost) {
        String said = assertThrows(IllegalArgumentException.class, () -> CutFinder.of(UNetSketch.of(true), LAGGABLE,
            node -> cost, List.of())).getMessage();
        assertTrue(said.matches("the cost of node /.* is " + cost), said);
    }

    @Test
    void aDeviceHasASpeed() {
        assertThrows(IllegalArgumentException.class, () -> new PartDevice(0, 1));
        assertThrows(IllegalArgumentException.class, () -> new PartDevice(1, -1));
        assertThrows(IllegalArgumentException.class,
            () -> finder(UNetSketch.of(true)).best(List.of(), Form.SHELLS, CutFinder.TOLERANCE));
    }

    @Property(tries = 200)
    void doesNotDependOnTheOrderInWhichNodesWereWritten(@ForAll long seed,
        @ForAll @IntRange(min = 5, max = 40) int nodes, @ForAll @IntRange(min = 2, max = 5) int modules) {
        Graph graph = RandomGraph.of(seed, nodes, modules, true);
        Assume.that(RandomGraph.hasWork(graph));
        ToDoubleFunction<NodeProto> cost = node -> node.getInputCount();
        CutFinder one = CutFinder.of(graph, LAGGABLE, cost, List.of());
        CutFinder other = CutFinder.of(RandomGraph.shuffled(graph, seed), LAGGABLE, cost, List.of());
        int parts = Math.min(3, one.most());
        Assume.that(parts > 0);

        assertEquals(best(one, parts, Form.SHELLS).shares(),
            best(other, parts, Form.SHELLS).shares());
    }
}
