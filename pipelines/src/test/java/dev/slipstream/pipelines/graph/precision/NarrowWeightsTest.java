package dev.slipstream.pipelines.graph.precision;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataLocation;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphProtos;
import dev.slipstream.pipelines.graph.GraphSketch;
import dev.slipstream.pipelines.graph.OnnxRunner;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import dev.slipstream.pipelines.graph.shape.StaticShapes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ShortBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NarrowWeightsTest {
    @TempDir
    private Path folder;

    private static GraphSketch product() {
        return new GraphSketch().input("x", 1, 2).node("MatMul", "/a/MatMul", List.of("x", "w"), "y").output("y", 1, 1);
    }

    private static Graph fixed(Graph graph) {
        return StaticShapes.fix(graph, InputTypes.of(graph, Map.of()));
    }

    private static short[] bits(TensorProto weight) {
        ShortBuffer stored = weight.getRawData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN).asShortBuffer();
        short[] bits = new short[stored.remaining()];
        stored.get(bits);
        return bits;
    }

    private static List<String> operators(Graph graph) {
        return graph.nodes().stream().map(NodeProto::getOpType).toList();
    }

    /** The second value of each pair lies in the middle between two neighbours, so the even one is taken. */
    @ParameterizedTest
    @CsvSource({"BF16, 1.00390625, 3f80", "BF16, 1.01171875, 3f82", "BF16, 3.3895314e38, 7f7f", "BF16, -0.0, 8000",
        "BF16, NaN, 7fc0", "BF16, -Infinity, ff80", "BF16, 1e-40, 0001", "FP16, 1.00048828125, 3c00",
        "FP16, 1.00146484375, 3c02", "FP16, 65504, 7bff", "FP16, 65519, 7bff", "FP16, Infinity, 7c00",
        "FP16, 6e-8, 0001", "FP16, 2e-8, 0000"})
    void weightsAreRoundedToNearestEven(Precision precision, float value, String expected) {
        Graph graph = fixed(product().weight("w", new float[] {value, 2}, 2, 1).build());
        TensorProto weight = new PrecisionRewrite(precision).apply(graph).weights().get("w");

        assertArrayEquals(new short[] {(short) Integer.parseInt(expected, 16), precision.bits(2)}, bits(weight));
        assertEquals(List.of(2L, 1L), weight.getDimsList());
    }

    @ParameterizedTest
    @CsvSource({"FP16, 65520", "FP16, -1e6", "BF16, 3.4028235e38"})
    void aWeightThatDoesNotFitKeepsItsReadersInSinglePrecision(Precision precision, float value) {
        Graph graph = fixed(product().weight("w", new float[] {value, 1}, 2, 1).build());

        assertEquals(GraphProtos.write(graph), GraphProtos.write(new PrecisionRewrite(precision).apply(graph)));
    }

    @Test
    void whatAWeightTooLargeIsAddedToStaysSingleUntilTheSoftmax() {
        Graph graph = fixed(new GraphSketch().input("x", 2, 2).weight("w", new float[4], 2, 2)
            .weight("mask", new float[] {0, -3e38f}, 1, 2).node("MatMul", "/a/MatMul", List.of("x", "w"), "scores")
            .node("Add", "/a/Add", List.of("scores", "mask"), "masked")
            .node("Transpose", "/a/Transpose", List.of("masked"), "turned")
            .node("Softmax", "/a/Softmax", List.of("turned"), "y").output("y", 2, 2).build());

        assertEquals(List.of("Cast", "MatMul", "Cast", "Add", "Transpose", "Softmax"),
            operators(new PrecisionRewrite(Precision.FP16).apply(graph)));
    }

    @Test
    void aWeightThatIsReadInBothPrecisionsIsThereTwice() {
        Graph graph = fixed(new GraphSketch().input("x", 2).weight("w", new float[] {1, 2}, 2)
            .node("LayerNormalization", "/a/Norm", List.of("x", "w"), "normal")
            .node("Tanh", "/a/Tanh", List.of("normal"), "tanh").node("Mul", "/a/Mul", List.of("tanh", "w"), "y")
            .output("y", 2).build());
        Graph rewritten = new PrecisionRewrite(Precision.FP16).apply(graph);

        assertEquals(DataType.FLOAT_VALUE, rewritten.weights().get("w").getDataType());
        assertEquals(DataType.FLOAT16_VALUE, rewritten.weights().get("w_float16").getDataType());
    }

    @ParameterizedTest
    @CsvSource({"FP16, stored", "BF16, w_bfloat16"})
    void weightsStoredAsHalvesAreReadWithoutTheirCasts(Precision precision, String name) {
        // More than shape folding would fold.
        int side = 128;
        TensorProto.Builder stored = TensorProto.newBuilder().setName("stored").setDataType(DataType.FLOAT16_VALUE)
            .addDims(side).addDims(side);
        for (int i = 0; i < side * side; i++) {
            stored.addInt32Data(0xc000);
        }
        Graph graph = fixed(new GraphSketch().input("x", 1, side).weight(stored.build())
            .node("Cast", "/a/Cast", List.of("stored"), "w", GraphSketch.integer("to", DataType.FLOAT_VALUE))
            .node("MatMul", "/a/MatMul", List.of("x", "w"), "y").output("y", 1, side).build());
        Graph rewritten = new PrecisionRewrite(precision).apply(graph);

        assertEquals(List.of("Cast", "MatMul", "Cast"), operators(rewritten));
        assertEquals(List.of(name), List.copyOf(rewritten.weights().keySet()));
        assertEquals(-2, StoredFloats.of(rewritten.weights().get(name)).at(1));
    }

    @Test
    void aStoredBrainHalfThatNoHalfHoldsKeepsItsReaders() {
        TensorProto.Builder stored = TensorProto.newBuilder().setName("stored").setDataType(DataType.BFLOAT16_VALUE)
            .addDims(2).addDims(1).addInt32Data(brainHalf(1e6f)).addInt32Data(0x3f80);
        Graph graph = product().weight(stored.build())
            .node("Cast", "/a/Cast", List.of("stored"), "w", GraphSketch.integer("to", DataType.FLOAT_VALUE)).build();

        assertEquals(GraphProtos.write(graph), GraphProtos.write(new PrecisionRewrite(Precision.FP16).apply(graph)));
    }

    private static int brainHalf(float value) {
        return Precision.BF16.bits(value) & 0xffff;
    }

    @Test
    void graphsForSeveralSizesShareTheirRoundedWeights() {
        Graph graph = new GraphSketch().input("x", -1, 128).weight("w", new float[128 * 128], 128, 128)
            .node("MatMul", "/a/MatMul", List.of("x", "w"), "y").output("y", -1, 128).build();
        PrecisionRewrite rewrite = new PrecisionRewrite(Precision.FP16);
        TensorProto[] rounded = new TensorProto[2];
        for (int i = 0; i < rounded.length; i++) {
            Graph sized = StaticShapes.fix(graph, InputTypes.of(graph, Map.of("batch", i + 1L)));
            rounded[i] = rewrite.apply(sized).weights().get("w");
        }

        assertSame(rounded[0], rounded[1]);
    }

    @Test
    void weightsInOtherFilesStayThereAndAreCastByTheEngine() throws IOException, OrtException {
        Graph graph = external(1.00048828125f, 3);
        Graph rewritten = new PrecisionRewrite(Precision.FP16).apply(graph);
        assertEquals(List.of("Cast", "Cast", "MatMul", "Cast"), operators(rewritten));
        assertSame(graph.weights().get("w"), rewritten.weights().get("w"));

        OnnxRunner runner = new OnnxRunner();
        Map<String, OnnxTensor> inputs = Map.of("x", runner.tensor(new float[] {1, 1}, 1, 2));
        assertArrayEquals(new float[] {4}, OnnxRunner.floats(runner.run(rewritten, inputs).get("y")));
    }

    @Test
    void weightsInOtherFilesThatDoNotFitAreSeen() throws IOException {
        Graph graph = external(1, -65520);

        assertEquals(List.of("MatMul"), operators(new PrecisionRewrite(Precision.FP16).apply(graph)));
    }

    @Test
    void aDamagedWeightIsNamed() {
        TensorProto damaged = TensorProto.newBuilder().setName("w").setDataType(DataType.FLOAT_VALUE).addDims(2)
            .addDims(1).addFloatData(1).build();
        Graph graph = product().weight(damaged).build();

        GraphException said = assertThrows(GraphException.class,
            () -> new PrecisionRewrite(Precision.FP16).apply(graph));
        assertTrue(said.getMessage().contains("'w' should have 2 elements but holds 1"), said.getMessage());
    }

    private Graph external(float... values) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(4 + values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putInt(0);
        for (float value : values) {
            bytes.putFloat(value);
        }
        Files.write(folder.resolve("weights.bin"), bytes.array());
        TensorProto weight = TensorProto.newBuilder().setName("w").setDataType(DataType.FLOAT_VALUE).addDims(2)
            .addDims(1).setDataLocation(DataLocation.EXTERNAL)
            .addExternalData(StringStringEntryProto.newBuilder().setKey("location").setValue("weights.bin"))
            .addExternalData(StringStringEntryProto.newBuilder().setKey("offset").setValue("4"))
            .addExternalData(StringStringEntryProto.newBuilder().setKey("length").setValue("8")).build();
        return fixed(GraphProtos.read(product().weight(weight).model(), Optional.of(folder)));
    }
}
