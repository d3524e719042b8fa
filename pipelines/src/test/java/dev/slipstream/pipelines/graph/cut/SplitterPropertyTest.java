package dev.slipstream.pipelines.graph.cut;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.OnnxRunner;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.statistics.Statistics;
import net.jqwik.api.statistics.StatisticsReport;

class SplitterPropertyTest {
    @Property(tries = 100)
    void segmentsRunInOrderEqualTheWholeBitForBit(@ForAll long seed, @ForAll @IntRange(min = 1, max = 40) int nodes,
        @ForAll @IntRange(min = 1, max = 4) int components) throws OrtException {
        Graph graph = graph(seed, nodes, components, false);
        OnnxRunner runner = new OnnxRunner();
        Map<String, OnnxTensor> inputs = RandomGraph.inputs(seed, runner);

        Map<String, OnnxTensor> whole = runner.run(graph, inputs);
        Map<String, OnnxTensor> parts = runner.run(split(graph), inputs);

        for (ValueInfoProto output : graph.outputs()) {
            assertArrayEquals(OnnxRunner.floats(whole.get(output.getName())),
                OnnxRunner.floats(parts.get(output.getName())), output.getName());
        }
    }

    @Property(tries = 200)
    @StatisticsReport(StatisticsReport.StatisticsReportMode.OFF)
    void soDoThoseOfFoundCutsInWhichPartsDoAgainWhatIsBeforeThem(@ForAll long seed,
        @ForAll @IntRange(min = 8, max = 40) int nodes, @ForAll @IntRange(min = 3, max = 6) int modules)
        throws OrtException {
        Graph graph = graph(seed, nodes, modules, true);
        CutFinder finder = CutFinder.of(graph, RandomGraph.LAGGABLE, node -> node.getInputCount(), List.of());
        OnnxRunner runner = new OnnxRunner();
        Map<String, OnnxTensor> inputs = RandomGraph.inputs(seed, runner);
        Map<String, OnnxTensor> whole = runner.run(graph, inputs);

        for (int count = 2; count <= Math.min(3, finder.most()); count++) {
            for (FoundCut found : finder.candidates(PartDevice.equal(count), CutFinder.Form.REPEATED, 1)) {
                TensorCut cut = (TensorCut) found.cut();
                Map<String, OnnxTensor> parts = runner.run(
                    Splitter.splitCrossing(graph, List.of(cut), RandomGraph.LAGGABLE), inputs);
                Statistics.label("some is done again").collect(!cut.repeats().isEmpty());
                for (ValueInfoProto output : graph.outputs()) {
                    assertArrayEquals(OnnxRunner.floats(whole.get(output.getName())),
                        OnnxRunner.floats(parts.get(output.getName())), output.getName() + " of " + cut);
                }
            }
        }
        Statistics.label("some is done again").coverage(found -> found.check(true).percentage(part -> part > 10));
    }

    @Property(tries = 500)
    void everyEdgeComesFromAnEarlierSegment(@ForAll long seed, @ForAll @IntRange(min = 1, max = 60) int nodes,
        @ForAll @IntRange(min = 1, max = 5) int components) {
        Graph graph = graph(seed, nodes, components, false);
        Set<String> there = new HashSet<>(graph.inputs().stream().map(ValueInfoProto::getName).toList());

        for (Segment segment : split(graph).segments()) {
            assertTrue(there.containsAll(segment.inputs()), segment.toString());
            there.addAll(segment.outputs());
        }
        graph.outputs().forEach(output -> assertTrue(there.contains(output.getName())));
    }

    @Property(tries = 500)
    void nodesThatDependOnTheLatentsAreInOneSegmentOfTheirComponentOnly(@ForAll long seed,
        @ForAll @IntRange(min = 1, max = 60) int nodes, @ForAll @IntRange(min = 1, max = 5) int components) {
        Graph graph = graph(seed, nodes, components, false);
        Cut cut = RandomGraph.cut(graph);
        StepDependence dependence = new StepDependence(graph, RandomGraph.LAGGABLE);
        Partition partition = split(graph);

        for (NodeProto node : graph.nodes()) {
            String module = ModulePath.of(node);
            if (dependence.changes(node) && !module.isEmpty()) {
                List<Integer> places = partition.segments().stream()
                    .filter(segment -> segment.graph().nodes().contains(node)).map(Segment::component).toList();
                assertEquals(List.of(cut.components().indexOf(List.of(module))), places, node.getName());
            }
        }
    }

    @Property(tries = 500)
    void edgesDependOnTheLatentsOrAreShapesOfWhatDoes(@ForAll long seed,
        @ForAll @IntRange(min = 1, max = 60) int nodes, @ForAll @IntRange(min = 1, max = 5) int components) {
        Graph graph = graph(seed, nodes, components, false);
        StepDependence dependence = new StepDependence(graph, RandomGraph.LAGGABLE);

        for (String edge : split(graph).edges()) {
            NodeProto maker = graph.producer(edge).orElseThrow();
            assertTrue(dependence.changes(edge)
                || maker.getOpType().equals("Shape") && dependence.changes(maker.getInput(0)), edge);
        }
    }

    @Property(tries = 300)
    void modulesThatFollowEachOtherAreOneSegmentEach(@ForAll long seed,
        @ForAll @IntRange(min = 5, max = 60) int nodes, @ForAll @IntRange(min = 1, max = 5) int components) {
        Graph graph = graph(seed, nodes, components, true);

        assertEquals(RandomGraph.cut(graph).size(), split(graph).segments().size());
    }

    @Property(tries = 100)
    void oneComponentIsTheWhole(@ForAll long seed, @ForAll @IntRange(min = 5, max = 40) int nodes) {
        Graph graph = graph(seed, nodes, 1, false);

        List<Segment> segments = split(graph).segments();

        assertEquals(1, segments.size());
        assertEquals(graph.nodes(), segments.getFirst().graph().nodes());
        assertEquals(Set.copyOf(graph.outputs()), Set.copyOf(segments.getFirst().graph().outputs()));
    }

    @Property(tries = 300)
    void segmentsDoNotDependOnTheOrderInWhichNodesWereWritten(@ForAll long seed,
        @ForAll @IntRange(min = 1, max = 40) int nodes, @ForAll @IntRange(min = 2, max = 4) int components) {
        Graph graph = graph(seed, nodes, components, false);
        Graph other = RandomGraph.shuffled(graph, seed);

        assertEquals(described(split(graph)), described(split(other)));
    }

    private static List<String> described(Partition partition) {
        return partition.segments().stream().map(segment -> segment.name() + " "
            + new TreeSet<>(segment.graph().nodes().stream().map(NodeProto::getName).toList()) + " "
            + new TreeSet<>(segment.inputs()) + " -> " + new TreeSet<>(segment.outputs())).toList();
    }

    private static Graph graph(long seed, int nodes, int components, boolean ordered) {
        Graph graph = RandomGraph.of(seed, nodes, components, ordered);
        Assume.that(RandomGraph.hasWork(graph));
        return graph;
    }

    private static Partition split(Graph graph) {
        return Splitter.split(graph, RandomGraph.cut(graph), RandomGraph.LAGGABLE);
    }
}
