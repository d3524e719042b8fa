package dev.slipstream.pipelines.graph.fusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphSketch;
import dev.slipstream.pipelines.graph.OnnxRunner;
import dev.slipstream.pipelines.graph.cut.Segment;
import dev.slipstream.pipelines.graph.cut.Splitter;
import dev.slipstream.pipelines.graph.shape.StaticShapes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class SeparateSumsTest {
    /** As wide as the blocks of ONNX Runtime's layout. */
    private static final int CHANNELS = 32;
    private static final long[] DIMS = {1, CHANNELS, 6, 6};

    /** Convolutions and sums between tensors of one shape, from x on. */
    private record Chain(Random random, GraphSketch sketch) {
        private Chain(long seed) {
            this(new Random(seed), new GraphSketch().input("x", DIMS));
        }

        private float[] values(int count) {
            float[] values = new float[count];
            for (int i = 0; i < count; i++) {
                values[i] = (float) random.nextGaussian() / CHANNELS;
            }
            return values;
        }

        private Chain convolution(String from, String to) {
            sketch.weight(to + ".weight", values(CHANNELS * CHANNELS), CHANNELS, CHANNELS, 1, 1)
                .weight(to + ".bias", values(CHANNELS), CHANNELS)
                .node("Conv", "/" + to + "/Conv", List.of(from, to + ".weight", to + ".bias"), to);
            return this;
        }

        private Chain node(String operator, List<String> from, String to) {
            sketch.node(operator, "/" + to + "/" + operator, from, to);
            return this;
        }

        private Graph graph(String output) {
            sketch.output(output, DIMS);
            return StaticShapes.fix(sketch.build(), Map.of("x", new TensorType(DataType.FLOAT32, Shape.of(DIMS))));
        }
    }

    private static List<String> operators(Graph graph) {
        return graph.nodes().stream().map(NodeProto::getOpType).toList();
    }

    @Property(tries = 100)
    void whereverConvolutionsAndSumsAreCutTheBitsAreThoseOfTheWhole(@ForAll long seed) throws OrtException {
        Chain chain = new Chain(seed);
        Random random = chain.random();
        List<String> states = new ArrayList<>(List.of("x"));
        for (int left = random.nextInt(3, 8); left > 0; left--) {
            String skipped = states.get(random.nextInt(states.size()));
            String made = "c" + left;
            chain.convolution(states.getLast(), made);
            states.add(made);
            if (random.nextBoolean()) {
                chain.node(random.nextBoolean() ? "Add" : "Sum",
                    random.nextBoolean() ? List.of(skipped, made) : List.of(made, skipped), "s" + left);
                states.add("s" + left);
            }
        }
        Graph whole = chain.graph(states.getLast());
        String cut = states.get(random.nextInt(1, states.size() - 1));

        OnnxRunner runner = new OnnxRunner(OptLevel.ALL_OPT);
        Map<String, OnnxTensor> values = new HashMap<>();
        values.put("x", runner.tensor(chain.values(CHANNELS * 36), DIMS));
        float[] expected =
            OnnxRunner.floats(runner.run(SeparateSums.keep(whole), values).get(states.getLast()));
        for (Segment segment : Splitter.split(whole, List.of(List.of(cut)), Set.of("x")).segments()) {
            values.putAll(runner.run(SeparateSums.keep(segment.graph()), values));
        }

        assertArrayEquals(expected, OnnxRunner.floats(values.get(states.getLast())),
            states + " cut at " + cut + ", seed " + seed);
    }

    @Test
    void theWaysThroughOneResidualBlockMayBeJoined() {
        Graph graph = new Chain(1).convolution("x", "a").convolution("x", "b").node("Add", List.of("a", "b"), "y")
            .graph("y");

        assertSame(graph, SeparateSums.keep(graph));
    }

    @Test
    void aSumOfThreeIsKeptFromItsConvolutionOnly() {
        Graph graph = new Chain(1).convolution("x", "a").node("Sum", List.of("x", "a", "x"), "y").graph("y");

        Graph kept = SeparateSums.keep(graph);

        assertEquals(List.of("Conv", "Reshape", "Sum"), operators(kept));
        assertEquals(List.of("x", "a/apart", "x"), kept.nodes().getLast().getInputList());
    }

    @Test
    void aNormOfADamagedFileThatLacksItsScaleStaysAsItIs() {
        Graph graph = new Chain(1).node("Add", List.of("x", "x"), "a")
            .node("LayerNormalization", List.of("a"), "y").graph("y");

        assertSame(graph, SeparateSums.keep(graph));
    }

    @Test
    void whatNoConvolutionCanTakeUpStaysAsItIs() {
        Graph graph = new Chain(1).convolution("x", "a").node("Sigmoid", List.of("a"), "b")
            .node("Mul", List.of("a", "b"), "c").node("Add", List.of("c", "x"), "y").graph("y");

        assertSame(graph, SeparateSums.keep(graph));
    }
}
