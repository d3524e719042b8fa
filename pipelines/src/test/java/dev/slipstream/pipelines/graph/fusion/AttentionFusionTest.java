package dev.slipstream.pipelines.graph.fusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphSketch;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.OnnxRunner;
import dev.slipstream.pipelines.graph.fusion.AttentionSketch.Heads;
import dev.slipstream.pipelines.graph.fusion.AttentionSketch.Scale;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.graph.precision.PrecisionRewrite;
import dev.slipstream.pipelines.graph.shape.StaticShapes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class AttentionFusionTest {
    private static final AttentionSketch USUAL =
        new AttentionSketch(2, 3, 16, 9, 8, 8, Heads.AXIS, Scale.QUERY, false);

    @Property(tries = 200)
    void everyFormBecomesOneNodeWithTheSameResult(@ForAll long seed) throws OrtException {
        AttentionSketch sketch = AttentionSketch.random(seed);
        Graph plain = sketch.graph();
        Graph fused = AttentionFusion.fuse(plain);
        assertEquals(List.of("MultiHeadAttention", "Tanh"), operators(fused), sketch::toString);
        Map<String, OnnxTensor> inputs = random(sketch.inputs(), seed);
        OnnxRunner runner = new OnnxRunner();
        assertArrayEquals(OnnxRunner.floats(runner.run(plain, inputs).get("y")),
            OnnxRunner.floats(runner.run(fused, inputs).get("y")), 1e-5f, sketch.toString());
    }

    private static List<String> operators(Graph graph) {
        return graph.nodes().stream().map(NodeProto::getOpType).toList();
    }

    private static Map<String, OnnxTensor> random(Map<String, TensorType> types, long seed) throws OrtException {
        Random random = new Random(seed);
        Map<String, OnnxTensor> tensors = new HashMap<>();
        for (Map.Entry<String, TensorType> type : types.entrySet()) {
            float[] values = new float[Math.toIntExact(type.getValue().shape().elements())];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextGaussian();
            }
            tensors.put(type.getKey(), new OnnxRunner().tensor(values, type.getValue().shape().toArray()));
        }
        return tensors;
    }

    @Test
    void theNodeKeepsTheModulePathAndTellsHeadsAndFactor() {
        NodeProto node = AttentionFusion.fuse(USUAL.graph()).nodes().getFirst();
        assertEquals("/attn/MatMul_1_attention", node.getName());
        assertEquals(3, Nodes.integer(node, "num_heads", 0));
        assertEquals(0.7f, Nodes.attribute(node, "scale").orElseThrow().getF());
        assertEquals(List.of("q", "k", "v"), node.getInputList());
        assertEquals(List.of("joined"), node.getOutputList());
    }

    @Test
    void oneHeadNeedsNoTransposes() throws OrtException {
        Graph plain = USUAL.fixed(new GraphSketch().input("q", 2, 16, 24).input("k", 2, 9, 24).input("v", 2, 9, 24)
            .output("y", 2, 16, 24).node("Transpose", "/t", List.of("k"), "turned", AttentionSketch.order(0, 2, 1))
            .node("MatMul", "/m", List.of("q", "turned"), "scores")
            .node("Softmax", "/s", List.of("scores"), "map", GraphSketch.integer("axis", 2))
            .node("MatMul", "/n", List.of("map", "v"), "y"));
        Graph fused = AttentionFusion.fuse(plain);
        assertEquals(List.of("MultiHeadAttention"), operators(fused));
        Map<String, OnnxTensor> inputs = random(USUAL.inputs(), 1);
        assertArrayEquals(OnnxRunner.floats(new OnnxRunner().run(plain, inputs).get("y")),
            OnnxRunner.floats(new OnnxRunner().run(fused, inputs).get("y")), 1e-5f);
    }

    private static void staysAsItIs(Graph graph) {
        assertSame(graph, AttentionFusion.fuse(graph));
    }

    private static Map<String, TensorType> withMask(long... mask) {
        Map<String, TensorType> types = new HashMap<>(USUAL.inputs());
        types.put("mask", TensorType.of(DataType.FLOAT32, mask));
        return types;
    }

    private static Graph masked(long... mask) {
        return StaticShapes.fix(USUAL.mixed(USUAL.products().input("mask", mask)
            .node("Add", "/attn/Add", List.of("scores", "mask"), "masked")
            .node("Softmax", "/attn/Softmax", List.of("masked"), "map", GraphSketch.integer("axis", -1))).build(),
            withMask(mask));
    }

    @ParameterizedTest
    @CsvSource({"9", "1 9", "1 1 9", "3 1 9", "2 1 1 9", "2 3 1 9", "1 3 1 9", "3 16 9", "1 3 16 9", "2 3 16 9"})
    void aMaskForKeysOrOfEachHeadIsPartOfTheNode(String dims) throws OrtException {
        long[] shape = Arrays.stream(dims.split(" ")).mapToLong(Long::parseLong).toArray();
        Graph plain = masked(shape);
        Graph fused = AttentionFusion.fuse(plain);
        assertEquals(List.of("Expand", "MultiHeadAttention", "Tanh"), operators(fused).stream().sorted().toList());
        Map<String, OnnxTensor> inputs = random(withMask(shape), 3);
        assertArrayEquals(OnnxRunner.floats(new OnnxRunner().run(plain, inputs).get("y")),
            OnnxRunner.floats(new OnnxRunner().run(fused, inputs).get("y")), 1e-5f);
    }

    @Test
    void nodesOfDamagedFilesThatLackOperandsAreNoAttention() {
        Graph whole = masked(2, 1, 1, 9);
        for (NodeProto node : whole.nodes()) {
            List<NodeProto> lacking = new ArrayList<>();
            for (int inputs = 0; inputs < node.getInputCount(); inputs++) {
                lacking.add(node.toBuilder().clearInput().addAllInput(node.getInputList().subList(0, inputs)).build());
            }
            for (NodeProto less : lacking) {
                List<NodeProto> nodes = whole.nodes().stream().map(it -> it == node ? less : it).toList();
                Graph damaged = whole.with(whole.inputs(), whole.outputs(), nodes, whole.weights());
                assertDoesNotThrow(() -> AttentionFusion.fuse(damaged), less::toString);
            }
        }
    }

    @Test
    void attentionWithAMaskForQueriesOfAllHeadsStaysAsItIs() {
        staysAsItIs(masked(16, 9));
        staysAsItIs(masked(2, 1, 16, 9));
        staysAsItIs(masked(16, 1));
    }

    @Test
    void aSoftmaxOverAnotherAxisIsNoAttention() {
        staysAsItIs(USUAL.fixed(USUAL.mixed(USUAL.products()
            .node("Softmax", "/attn/Softmax", List.of("scores"), "map", GraphSketch.integer("axis", 2)))));
    }

    @ParameterizedTest
    @EnumSource(Heads.class)
    void aMapThatSomeoneElseReadsMustBeMade(Heads place) {
        AttentionSketch sketch = new AttentionSketch(1, 2, 4, 4, 8, 8, place, Scale.SCORES, false);
        for (String read : List.of("map", "scaled", "scores")) {
            staysAsItIs(sketch.fixed(sketch.sketch().node("Abs", "/seen/Abs", List.of(read), "seen")
                .output("seen", place == Heads.AXIS ? new long[] {1, 2, 4, 4} : new long[] {2, 4, 4})));
            staysAsItIs(sketch.fixed(sketch.sketch().output(read,
                place == Heads.AXIS ? new long[] {1, 2, 4, 4} : new long[] {2, 4, 4})));
        }
    }

    @Test
    void theResultIsTakenWhereTheLastReaderNeedsIt() {
        Graph fused = AttentionFusion.fuse(USUAL.fixed(USUAL.sketch().output("tokens", 2, 16, 3, 8)));
        assertEquals(List.of("MultiHeadAttention", "Reshape", "Reshape", "Tanh"), operators(fused));
        assertEquals("tokens", fused.nodes().get(1).getOutput(0));
        staysAsItIs(USUAL.fixed(USUAL.sketch().output("mixed", 2, 3, 16, 8)));
    }

    @Test
    void headsThatAreNotSideBySideStayAsTheyAre() {
        staysAsItIs(USUAL.fixed(new GraphSketch().input("q", 2, 16, 24).input("k", 2, 9, 24).input("v", 2, 9, 24)
            .output("y", 2, 3, 16, 8)
            .weight(AttentionSketch.shape("qs", 2, 3, 16, 8)).weight(AttentionSketch.shape("ks", 2, 3, 8, 9))
            .weight(AttentionSketch.shape("vs", 2, 3, 9, 8)).node("Reshape", "/q", List.of("q", "qs"), "q4")
            .node("Reshape", "/k", List.of("k", "ks"), "k4").node("Reshape", "/v", List.of("v", "vs"), "v4")
            .node("MatMul", "/m", List.of("q4", "k4"), "scores")
            .node("Softmax", "/s", List.of("scores"), "map", GraphSketch.integer("axis", -1))
            .node("MatMul", "/n", List.of("map", "v4"), "y")));
    }

    @Property(tries = 50)
    void halvesAreWidenedForTheNode(@ForAll long seed) throws OrtException {
        AttentionSketch sketch = AttentionSketch.random(seed);
        Graph half = new PrecisionRewrite(Precision.FP16).apply(sketch.graph());
        Graph fused = AttentionFusion.fuse(half);
        assertEquals(1, operators(fused).stream().filter("MultiHeadAttention"::equals).count(), sketch::toString);
        assertEquals(0, operators(fused).stream().filter("Softmax"::equals).count(), sketch::toString);
        Map<String, OnnxTensor> inputs = random(sketch.inputs(), seed);
        OnnxRunner runner = new OnnxRunner();
        // Of scores up to 8, halves are off by 4e-3, and what comes of them by as much again.
        assertArrayEquals(OnnxRunner.floats(runner.run(half, inputs).get("y")),
            OnnxRunner.floats(runner.run(fused, inputs).get("y")), 1e-2f, sketch.toString());
    }
}
