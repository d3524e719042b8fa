package dev.slipstream.pipelines.graph.cut;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphPruner;
import dev.slipstream.pipelines.graph.OnnxRunner;
import dev.slipstream.pipelines.graph.join.GraphJoin;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** Networks are joined, then cut. */
class JoinedGraphPropertyTest {
    /** Two graphs, of which the second reads what the first makes, in one or two sums. */
    private record Pair(Graph guest, Graph host, List<String> outputs) {
        static Pair of(long seed, int nodes, int outputs) {
            Graph guest = working(seed, nodes, 2);
            Graph host = working(~seed, nodes, 3);
            return new Pair(guest, host,
                guest.outputs().stream().map(ValueInfoProto::getName).limit(outputs).toList());
        }

        /** The first graph from a seed on in which every module has work, which few of the small ones have. */
        private static Graph working(long seed, int nodes, int modules) {
            return LongStream.iterate(seed, next -> next + 1).mapToObj(next -> RandomGraph.of(next, nodes, modules,
                false)).filter(RandomGraph::hasWork).findFirst().orElseThrow();
        }

        Graph joined() {
            return new GraphJoin().add("guest", guest, Map.of()).add("", host, Map.of("time",
                outputs.stream().map(output -> GraphJoin.name("guest", output)).toList())).joined();
        }
    }

    @Property(tries = 100)
    void theWholeComputesWhatTheGraphsOneAfterAnotherCompute(@ForAll long seed,
        @ForAll @IntRange(min = 5, max = 30) int nodes, @ForAll @IntRange(min = 1, max = 3) int outputs)
        throws OrtException {
        Pair pair = Pair.of(seed, nodes, outputs);
        OnnxRunner runner = new OnnxRunner();
        Map<String, OnnxTensor> inputs = RandomGraph.inputs(seed, runner);

        Map<String, OnnxTensor> first = runner.run(pair.guest(), inputs);
        float[] sum = OnnxRunner.floats(first.get(pair.outputs().getFirst()));
        for (String output : pair.outputs().subList(1, pair.outputs().size())) {
            float[] more = OnnxRunner.floats(first.get(output));
            for (int i = 0; i < sum.length; i++) {
                sum[i] += more[i];
            }
        }
        Map<String, OnnxTensor> fed = new HashMap<>(inputs);
        fed.put("time", runner.tensor(sum, 4, 4));
        Map<String, OnnxTensor> expected = runner.run(pair.host(), fed);
        Map<String, OnnxTensor> actual = runner.run(pair.joined(), inputs);

        for (ValueInfoProto output : pair.host().outputs()) {
            assertArrayEquals(OnnxRunner.floats(expected.get(output.getName())),
                OnnxRunner.floats(actual.get(output.getName())), output.getName());
        }
    }

    @Property(tries = 100)
    void segmentsOfAJoinedNetworkEqualTheWholeBitForBit(@ForAll long seed,
        @ForAll @IntRange(min = 5, max = 30) int nodes, @ForAll boolean fresh) throws OrtException {
        Graph whole = GraphPruner.prune(Pair.of(seed, nodes, 1).joined());
        Cut cut = cut(whole, fresh);
        Partition partition = Splitter.split(whole, cut, RandomGraph.LAGGABLE);
        OnnxRunner runner = new OnnxRunner();
        Map<String, OnnxTensor> inputs = RandomGraph.inputs(seed, runner);

        Map<String, OnnxTensor> expected = runner.run(whole, inputs);
        Map<String, OnnxTensor> parts = runner.run(partition, inputs);

        for (ValueInfoProto output : whole.outputs()) {
            assertArrayEquals(OnnxRunner.floats(expected.get(output.getName())),
                OnnxRunner.floats(parts.get(output.getName())), output.getName());
        }
        StepDependence dependence = new StepDependence(whole, RandomGraph.LAGGABLE);
        for (Segment segment : partition.segments()) {
            boolean guest = segment.name().equals("guest") || segment.name().startsWith("guest.");
            assertEquals(segment.component() < 0, guest);
            assertTrue(!fresh || guest || segment.graph().nodes().stream().filter(dependence::changes)
                .noneMatch(node -> ModulePath.of(node).startsWith("guest")), segment.toString());
        }
    }

    private static Cut cut(Graph whole, boolean fresh) {
        List<List<String>> components = new ArrayList<>();
        for (List<String> component : RandomGraph.cut(whole).components()) {
            String module = component.getFirst();
            if (!module.startsWith("guest") || !fresh) {
                components.add(List.of(module));
            }
        }
        Assume.that(!components.isEmpty());
        return new Cut("random", components).withFresh(fresh ? List.of("guest") : List.of());
    }
}
