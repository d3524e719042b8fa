package dev.slipstream.pipelines.graph.precision;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphProtos;
import dev.slipstream.pipelines.graph.OnnxRunner;
import dev.slipstream.pipelines.graph.cut.BalancedCut;
import dev.slipstream.pipelines.graph.cut.Cut;
import dev.slipstream.pipelines.graph.cut.Partition;
import dev.slipstream.pipelines.graph.cut.Splitter;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** Rewrites of graphs grown by chance. */
class PrecisionPropertyTest {
    private static final Set<String> SAMPLE = Set.of("sample");
    private static final float TOLERANCE = 0.02f;

    private final OnnxRunner runner = new OnnxRunner();

    private static Graph rewritten(Graph graph, Precision precision) {
        return new PrecisionRewrite(precision).apply(graph);
    }

    private void assertCloseOutputs(Map<String, OnnxTensor> expected, Map<String, OnnxTensor> actual, Graph graph) {
        for (ValueInfoProto output : graph.outputs()) {
            assertArrayEquals(OnnxRunner.floats(expected.get(output.getName())),
                OnnxRunner.floats(actual.get(output.getName())), TOLERANCE, output.getName());
        }
    }

    @Property(tries = 300)
    void typesAreConsistentAndNoCastIsRedundant(@ForAll long seed, @ForAll @IntRange(min = 1, max = 40) int steps,
        @ForAll Precision precision) {
        Graph graph = MixedGraph.of(seed, steps);
        Graph rewritten = rewritten(graph, precision);

        Rewritten.assertTypesAreConsistent(rewritten);
        Rewritten.assertNoCastIsRedundant(graph, rewritten);
    }

    @Property(tries = 300)
    void twiceIsOnce(@ForAll long seed, @ForAll @IntRange(min = 1, max = 40) int steps, @ForAll Precision precision) {
        Graph once = rewritten(MixedGraph.of(seed, steps), precision);

        assertEquals(GraphProtos.write(once), GraphProtos.write(rewritten(once, precision)));
    }

    @Property(tries = 20)
    void singlePrecisionIsTheGraphItself(@ForAll long seed) {
        Graph graph = MixedGraph.of(seed, 20);

        assertSame(graph, rewritten(graph, Precision.FP32));
    }

    @Property(tries = 300)
    void resultsStayUpToRounding(@ForAll long seed, @ForAll @IntRange(min = 1, max = 30) int steps)
        throws OrtException {
        Graph graph = MixedGraph.of(seed, steps);
        Map<String, OnnxTensor> inputs = MixedGraph.inputs(seed, runner);

        assertCloseOutputs(runner.run(graph, inputs), runner.run(rewritten(graph, Precision.FP16), inputs), graph);
    }

    @Property(tries = 300)
    void segmentsTogetherAreTheWhole(@ForAll long seed, @ForAll @IntRange(min = 8, max = 30) int steps,
        @ForAll @IntRange(min = 2, max = 4) int components) throws OrtException {
        Graph graph = MixedGraph.of(seed, steps);
        Graph rewritten = rewritten(graph, Precision.FP16);
        Optional<Cut> cut = cut(rewritten, components);
        Assume.that(cut.isPresent());
        Map<String, OnnxTensor> inputs = MixedGraph.inputs(seed, runner);
        Partition partition = Splitter.split(rewritten, cut.get(), SAMPLE);

        assertCloseOutputs(runner.run(rewritten, inputs), runner.run(partition, inputs), graph);
    }

    /** Empty if too few modules depend on the latents. */
    private static Optional<Cut> cut(Graph graph, int components) {
        try {
            return Optional.of(BalancedCut.of(graph, components, SAMPLE, node -> 1));
        } catch (GraphException tooFew) {
            return Optional.empty();
        }
    }
}
