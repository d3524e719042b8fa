package dev.slipstream.pipelines.graph.build;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.cpu.OnnxRuntime;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GraphBuilderTest {
    private static final Dim BATCH = Dim.named("batch_size");
    private static final Dim HEIGHT = Dim.named("height");
    private static final Dim WIDTH = Dim.named("width");

    @TempDir
    private Path folder;

    @Test
    void nodesAreNamedAfterTheirModulesAndTheOutputAsAsked() throws IOException {
        Graph graph = linear(weights(0, DataType.FLOAT32)).graph();

        assertEquals(List.of("/mid/to_q/Transpose", "/mid/to_q/MatMul", "/mid/to_q/Add"),
            graph.nodes().stream().map(node -> node.getName()).toList());
        assertEquals("y", graph.nodes().getLast().getOutput(0));
        assertEquals(17, graph.opset());
    }

    /** Nothing aligns tensors in a safetensors file, whose header can have any length. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4097})
    void weightsAreReadWhereTheyLieAtAnyOffset(int offset) throws IOException, OrtException {
        float[] result = run(linear(weights(offset, DataType.FLOAT32)).graph(), 1, 10, 100);

        assertArrayEquals(new float[] {321.5f, 654.5f}, result);
    }

    @ParameterizedTest
    @ValueSource(strings = {"FLOAT16", "BFLOAT16"})
    void weightsOfOtherTypesAreCast(String type) throws IOException, OrtException {
        float[] result = run(linear(weights(3, DataType.valueOf(type))).graph(), 1, 10, 100);

        assertArrayEquals(new float[] {321.5f, 654.5f}, result);
    }

    @Test
    void aGraphWrittenToAnotherFolderTakesItsWeightsAlong() throws IOException, OrtException {
        Path target = folder.resolve("elsewhere").resolve("model.onnx");
        GraphFile.write(linear(weights(5, DataType.FLOAT32)).graph(), target);

        assertArrayEquals(new float[] {321.5f, 654.5f}, run(GraphFile.read(target), 1, 10, 100));
    }

    @Test
    void tensorsThatNothingUsesAreListed() throws IOException {
        assertEquals(List.of("position_ids"), linear(weights(0, DataType.FLOAT32)).ignored());
    }

    @Test
    void allMissingAndMisshapenWeightsAreNamedAtOnce() throws IOException {
        GraphBuilder builder = new GraphBuilder("the checkpoint", folder, weights(0, DataType.FLOAT32));
        Scope query = builder.root().child("mid").child("to_q");
        query.weight("weight", 3, 3);
        for (int i = 0; i < 7; i++) {
            builder.root().child("resnets", i).weight("weight", i, 4);
        }

        String message = assertThrows(GraphException.class, builder::build).getMessage();

        assertEquals("the checkpoint lacks 7 weights (resnets.0.weight [0, 4], resnets.1.weight [1, 4], "
            + "resnets.2.weight [2, 4], resnets.3.weight [3, 4], resnets.4.weight [4, 4] and 2 more), which its "
            + "configuration asks for; it has weights of other shapes than its configuration asks for: "
            + "mid.to_q.weight is [2, 3] and should be [3, 3]", message);
    }

    @Test
    void moreLayersThanAnyModelHasAreRefusedBeforeTheyFillTheMemory() throws IOException {
        GraphBuilder builder = new GraphBuilder("the checkpoint", folder, weights(0, DataType.FLOAT32));

        String message = assertThrows(GraphException.class, () -> {
            for (int i = 0; i < Integer.MAX_VALUE; i++) {
                builder.root().child("layers", i).weight("weight", 4);
            }
        }).getMessage();

        assertTrue(message.startsWith("the checkpoint lacks 10000 weights (layers.0.weight [4], "), message);
    }

    @Test
    void shapesThatDoNotFitNameTheNode() {
        GraphBuilder builder = new GraphBuilder("none", folder, Map.of());
        Value x = builder.input("x", DataType.FLOAT32, BATCH, Dim.of(3), HEIGHT, WIDTH);
        Value y = builder.input("y", DataType.FLOAT32, BATCH, Dim.of(3), HEIGHT.over(2), WIDTH);

        String message = assertThrows(GraphException.class, () -> builder.root().child("mid").add(x, y)).getMessage();

        assertEquals("node /mid/Add (Add) cannot take float32[batch_size, 3, height, width] and "
            + "float32[batch_size, 3, height/2, width]", message);
    }

    @Test
    void typesThatDoNotFitNameTheNode() {
        GraphBuilder builder = new GraphBuilder("none", folder, Map.of());
        Value x = builder.input("x", DataType.FLOAT32, BATCH, Dim.of(3));
        Value y = builder.input("y", DataType.INT64, Dim.of(3), Dim.of(4));

        String message = assertThrows(GraphException.class, () -> builder.root().matMul(x, y)).getMessage();

        assertEquals("node /MatMul (MatMul) cannot take float32[batch_size, 3] and int64[3, 4]", message);
    }

    /** Rows that another tensor has, and one more open size, cannot be said by a Reshape's constant alone. */
    @Test
    void rowsOfAnotherTensorTellAnOpenSize() throws OrtException {
        GraphBuilder builder = new GraphBuilder("none", folder, Map.of());
        Value x = builder.input("x", DataType.FLOAT32, BATCH, Dim.of(6));
        Scope root = builder.root();
        Value flat = root.reshape(x, BATCH.times(3), Dim.of(2));
        builder.output("y", root.reshape(flat, List.of(x), BATCH, Dim.of(2), Dim.of(3)));

        assertArrayEquals(new float[] {1, 2, 3}, run3(builder.build().graph(), 1, 2, 3, 4, 5, 6)[0]);
        assertThrows(GraphException.class, () -> root.reshape(flat, List.of(x), HEIGHT, Dim.of(2), Dim.of(3)));
    }

    @Test
    void openSizesAreFollowedThroughConvolutionsAndReshapes() {
        GraphBuilder builder = new GraphBuilder("none", folder, Map.of());
        Scope root = builder.root();
        Value x = builder.input("x", DataType.FLOAT32, BATCH, Dim.of(4), HEIGHT, WIDTH);
        Value weight = builder.input("w", DataType.FLOAT32, Dim.of(8), Dim.of(4), Dim.of(3), Dim.of(3));
        Value bias = builder.input("b", DataType.FLOAT32, Dim.of(8));

        Value down = root.conv(x, weight, bias, 2, 1);
        Dim half = Dim.named("floor((height+1)/2)");
        Dim halfWidth = Dim.named("floor((width+1)/2)");
        Value tokens = root.reshape(down, BATCH, Dim.of(8), half.times(halfWidth));
        Value up = root.enlarge(root.reshapeLike(tokens, down), 2);

        assertEquals(List.of(BATCH, Dim.of(8), half, halfWidth), down.dims());
        assertEquals(Dim.named("floor((height+0)/2)"), root.conv(x, weight, bias, 2, 0, 1).dim(2));
        assertEquals("float32[batch_size, 8, floor((height+1)/2)*floor((width+1)/2)]", tokens.toString());
        assertEquals(List.of(BATCH, Dim.of(8), half.times(2), halfWidth.times(2)), up.dims());
        assertEquals(x.dims().subList(2, 4), root.enlargeTo(down, x).dims().subList(2, 4));
        assertThrows(GraphException.class, () -> root.conv(x, weight, bias, 2, 0));
        assertThrows(GraphException.class, () -> root.reshape(tokens, BATCH, Dim.of(8), half,
            halfWidth));
        assertThrows(GraphException.class, () -> root.reshape(tokens, BATCH, Dim.of(4), HEIGHT.times(WIDTH)));
    }

    /** torch's {@code interpolate(mode="nearest", size)}: element i is floor(i * from / to). */
    @Test
    void anImageComesToTheSizeOfAnother() throws OrtException {
        GraphBuilder builder = new GraphBuilder("none", folder, Map.of());
        Value x = builder.input("x", DataType.FLOAT32, BATCH, Dim.of(3));
        Scope root = builder.root();
        Value image = root.reshape(x, BATCH, Dim.ONE, Dim.ONE, Dim.of(3));
        Value like = root.reals(0, 0, 0, 0, 0);
        Value large = root.enlargeTo(image, root.reshape(like, Dim.ONE, Dim.ONE, Dim.ONE, Dim.of(5)));
        builder.output("y", root.reshape(large, BATCH, Dim.ONE, Dim.of(5)));

        assertArrayEquals(new float[] {1, 1, 2, 2, 3}, run3(builder.build().graph(), 1, 2, 3)[0]);
    }

    @Test
    void equalConstantsAreKeptOnce() {
        GraphBuilder builder = new GraphBuilder("none", folder, Map.of());
        Scope root = builder.root();

        assertEquals(root.integers(1, 2), root.child("a").integers(1, 2));
        assertTrue(!root.scalar(1).equals(root.reals(1)));
    }

    /** y = x · weightᵀ + bias with weight [[1, 2, 3], [4, 5, 6]] and bias [.5, .5]. */
    private BuiltGraph linear(Map<String, StoredWeight> weights) {
        GraphBuilder builder = new GraphBuilder("the checkpoint", folder, weights);
        Value x = builder.input("x", DataType.FLOAT32, BATCH, Dim.of(3));
        Scope query = builder.root().child("mid").child("to_q");
        Value product = query.matMul(x, query.transpose(query.weight("weight", 2, 3), 1, 0));
        builder.output("y", query.add(product, query.weight("bias", 2)));
        return builder.build();
    }

    private Map<String, StoredWeight> weights(int offset, DataType type) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(offset + 8 * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        bytes.position(offset);
        for (float value : new float[] {1, 2, 3, 4, 5, 6, .5f, .5f}) {
            switch (type) {
                case FLOAT32 -> bytes.putFloat(value);
                case FLOAT16 -> bytes.putShort(Float.floatToFloat16(value));
                case BFLOAT16 -> bytes.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
                default -> throw new IllegalArgumentException(type.name());
            }
        }
        Path file = folder.resolve("model.safetensors");
        Files.write(file, bytes.array());
        Map<String, StoredWeight> weights = new LinkedHashMap<>();
        weights.put("mid.to_q.weight", new StoredWeight(file, offset, type, Shape.of(2, 3)));
        weights.put("position_ids", new StoredWeight(file, offset, type, Shape.of(1)));
        weights.put("mid.to_q.bias", new StoredWeight(file, offset + 6L * type.bytes(), type, Shape.of(2)));
        return weights;
    }

    private static float[] run(Graph graph, float... x) throws OrtException {
        return ((float[][]) result(graph, x))[0];
    }

    private static float[][] run3(Graph graph, float... x) throws OrtException {
        return ((float[][][]) result(graph, x))[0];
    }

    private static Object result(Graph graph, float... x) throws OrtException {
        OrtEnvironment environment = OnnxRuntime.environment();
        try (SessionOptions options = new SessionOptions()) {
            options.addConfigEntry("session.model_external_initializers_file_folder_path",
                graph.folder().orElseThrow().toString());
            try (OrtSession session = environment.createSession(GraphFile.serialize(graph), options);
                OnnxTensor tensor = OnnxTensor.createTensor(environment, new float[][] {x});
                OrtSession.Result result = session.run(Map.of("x", tensor))) {
                return result.get(0).getValue();
            }
        }
    }
}
