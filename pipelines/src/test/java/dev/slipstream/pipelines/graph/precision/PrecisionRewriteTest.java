package dev.slipstream.pipelines.graph.precision;

import static dev.slipstream.pipelines.graph.GraphSketch.integer;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import dev.slipstream.pipelines.graph.ElementTypes;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphSketch;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import dev.slipstream.pipelines.graph.shape.StaticShapes;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Which nodes of small graphs become narrow, and where the casts are. */
class PrecisionRewriteTest {
    private static Graph rewritten(GraphSketch sketch) {
        Graph graph = fixed(sketch);
        Graph rewritten = new PrecisionRewrite(Precision.FP16).apply(graph);
        Rewritten.assertTypesAreConsistent(rewritten);
        Rewritten.assertNoCastIsRedundant(graph, rewritten);
        return rewritten;
    }

    private static Graph fixed(GraphSketch sketch) {
        Graph graph = sketch.build();
        return StaticShapes.fix(graph, InputTypes.of(graph, Map.of()));
    }

    private static Set<String> narrow(Graph graph) {
        ElementTypes types = new ElementTypes(graph);
        return Set.copyOf(graph.nodes().stream().filter(node -> !Rewritten.isCast(node))
            .filter(node -> types.of(node.getOutput(0)) == DataType.FLOAT16_VALUE).map(NodeProto::getName).toList());
    }

    private static List<String> casts(Graph graph) {
        return graph.nodes().stream().filter(Rewritten::isCast).map(NodeProto::getName).toList();
    }

    private static GraphSketch sketch() {
        return new GraphSketch().input("x", 1, 4, 8).weight("w", new float[64], 8, 8)
            .weight("scale", new float[] {1, 2, 3, 4}, 4).weight("bias", new float[4], 4)
            .weight("gamma", new float[] {1, 2, 3, 4}, 4, 1).weight("beta", new float[4], 4, 1)
            .weight("epsilon", new float[] {1e-5f}).weight("two", new float[] {2});
    }

    private static AttributeProto axes(long axis) {
        return AttributeProto.newBuilder().setName("axes").setType(AttributeProto.AttributeType.INTS).addInts(axis)
            .build();
    }

    @Test
    void aGroupNormAsExportersWriteItStaysWideAndIsCastOnce() {
        Graph graph = rewritten(sketch().node("MatMul", "/a/MatMul", List.of("x", "w"), "product")
            .node("InstanceNormalization", "/norm/In", List.of("product", "scale", "bias"), "normal")
            .node("Mul", "/norm/Mul", List.of("normal", "gamma"), "scaled")
            .node("Add", "/norm/Add", List.of("scaled", "beta"), "moved")
            .node("Sigmoid", "/act/Sigmoid", List.of("moved"), "sigmoid")
            .node("Mul", "/act/Mul", List.of("moved", "sigmoid"), "silu")
            .node("MatMul", "/b/MatMul", List.of("silu", "w"), "y").output("y", 1, 4, 8));

        assertEquals(Set.of("/a/MatMul", "/act/Sigmoid", "/act/Mul", "/b/MatMul"), narrow(graph));
        assertEquals(List.of("/Cast_x_float16", "/Cast_product_float32", "/norm/Cast_moved_float16",
            "/b/Cast_y_float32"), casts(graph));
    }

    @Test
    void aLayerNormThatIsSpelledOutStaysWide() {
        Graph graph = rewritten(sketch().node("MatMul", "/a/MatMul", List.of("x", "w"), "product")
            .node("ReduceMean", "/norm/Mean", List.of("product"), "mean", axes(-1))
            .node("Sub", "/norm/Sub", List.of("product", "mean"), "centred")
            .node("Mul", "/norm/Square", List.of("centred", "centred"), "squares")
            .node("ReduceMean", "/norm/Mean_1", List.of("squares"), "variance", axes(-1))
            .node("Add", "/norm/Add", List.of("variance", "epsilon"), "above")
            .node("Sqrt", "/norm/Sqrt", List.of("above"), "deviation")
            .node("Div", "/norm/Div", List.of("centred", "deviation"), "normal")
            .node("Mul", "/norm/Mul", List.of("normal", "gamma"), "scaled")
            .node("Add", "/residual/Add", List.of("scaled", "product"), "y").output("y", 1, 4, 8));

        assertEquals(Set.of("/a/MatMul", "/residual/Add"), narrow(graph));
    }

    @Test
    void attentionIsNarrowAroundItsSoftmax() {
        Graph graph = rewritten(sketch().node("Transpose", "/attn/Transpose", List.of("x"), "keys",
                AttributeProto.newBuilder().setName("perm").setType(AttributeProto.AttributeType.INTS)
                    .addAllInts(List.of(0L, 2L, 1L)).build())
            .node("MatMul", "/attn/MatMul", List.of("x", "keys"), "scores")
            .node("Mul", "/attn/Mul", List.of("scores", "two"), "scaled")
            .node("Softmax", "/attn/Softmax", List.of("scaled"), "weights")
            .node("MatMul", "/attn/MatMul_1", List.of("weights", "x"), "y").output("y", 1, 4, 8));

        assertEquals(Set.of("/attn/Transpose", "/attn/MatMul", "/attn/Mul", "/attn/MatMul_1"), narrow(graph));
    }

    @Test
    void fromTheTimestepToItsSinesAllStaysWide() {
        Graph graph = rewritten(sketch().typedInput("timestep", DataType.INT64_VALUE, 1)
            .weight("frequencies", new float[8], 1, 8)
            .node("Cast", "/time/Cast", List.of("timestep"), "time", integer("to", DataType.FLOAT_VALUE))
            .node("Mul", "/time/Mul", List.of("time", "frequencies"), "phase")
            .node("Sin", "/time/Sin", List.of("phase"), "sine")
            .node("Cos", "/time/Cos", List.of("phase"), "cosine")
            .node("Concat", "/time/Concat", List.of("sine", "cosine"), "embedding", integer("axis", 0))
            .node("MatMul", "/time/MatMul", List.of("embedding", "w"), "y").output("y", 2, 8));

        assertEquals(Set.of("/time/Concat", "/time/MatMul"), narrow(graph));
    }

    @Test
    void nearestResizeKeepsItsScalesAndOtherModesStayWide() {
        GraphSketch sketch = new GraphSketch().input("x", 1, 2, 4, 4).weight("kernel", new float[4], 2, 2, 1, 1)
            .weight("scales", new float[] {1, 1, 2, 2}, 4);
        for (String mode : List.of("nearest", "linear")) {
            sketch.node("Conv", "/" + mode + "/Conv", List.of("x", "kernel"), mode + "_conv")
                .node("Resize", "/" + mode + "/Resize", List.of(mode + "_conv", "", "scales"), mode,
                    AttributeProto.newBuilder().setName("mode").setType(AttributeProto.AttributeType.STRING)
                        .setS(com.google.protobuf.ByteString.copyFromUtf8(mode)).build());
        }
        Graph graph = rewritten(sketch.node("Add", "/Add", List.of("nearest", "linear"), "y").output("y", 1, 2, 8, 8));

        assertEquals(Set.of("/nearest/Conv", "/nearest/Resize", "/linear/Conv", "/Add"), narrow(graph));
        assertEquals(DataType.FLOAT_VALUE, graph.weights().get("scales").getDataType());
    }

    @Test
    void inputsAndOutputsBecomeNarrowOnlyIfAsked() {
        Graph graph = fixed(sketch().node("MatMul", "/a/MatMul", List.of("x", "w"), "product")
            .node("Softmax", "/a/Softmax", List.of("product"), "y").output("y", 1, 4, 8));
        PrecisionRewrite rewrite = new PrecisionRewrite(Precision.FP16);
        Graph both = rewrite.apply(graph, Set.of("x", "y"));

        Rewritten.assertTypesAreConsistent(both);
        assertEquals(List.of("/Cast_product_float32", "/a/Cast_y_float16"), casts(both));
        assertEquals(graph.inputs(), rewrite.apply(graph).inputs());
        assertEquals(graph.outputs(), rewrite.apply(graph).outputs());
        assertThrows(GraphException.class, () -> rewrite.apply(graph, Set.of("product")));
    }

    @Test
    void integersAndUnknownOperatorsAreLeftAlone() {
        Graph graph = rewritten(sketch().typedInput("index", DataType.INT64_VALUE, 2)
            .node("Add", "/a/Add", List.of("index", "index"), "twice")
            .node("Gather", "/a/Gather", List.of("x", "twice"), "rows", integer("axis", 1))
            .node("CumSum", "/a/CumSum", List.of("rows", "axis"), "y").output("y", 1, 2, 8)
            .weight(TensorProto.newBuilder().setName("axis").setDataType(DataType.INT64_VALUE).addInt64Data(0)
                .build()));

        assertEquals(Set.of(), narrow(graph));
        assertTrue(casts(graph).isEmpty());
    }
}
