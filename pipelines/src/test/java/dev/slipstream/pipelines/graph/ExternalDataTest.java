package dev.slipstream.pipelines.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataLocation;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnxruntime.OrtException;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExternalDataTest {
    private static final int PADDING = 64;

    @TempDir
    Path root;
    private Path folder;
    private Path model;

    @BeforeEach
    void writeModel() throws IOException {
        folder = Files.createDirectory(root.resolve("model"));
        ByteBuffer bytes = ByteBuffer.allocate(PADDING + 8).order(ByteOrder.LITTLE_ENDIAN);
        bytes.position(PADDING).putFloat(10).putFloat(20);
        Files.write(folder.resolve("model.data"), bytes.array());
        model = write("model.data", Integer.toString(PADDING), "8");
    }

    private Path write(String location, String offset, String length) throws IOException {
        GraphSketch sketch = new GraphSketch().input("x", 2).output("y", 2)
            .node("Add", "/Add", List.of("x", "w"), "y");
        TensorProto.Builder weight = TensorProto.newBuilder().setName("w").setDataType(DataType.FLOAT_VALUE).addDims(2)
            .setDataLocation(DataLocation.EXTERNAL).addExternalData(entry("location", location));
        if (offset != null) {
            weight.addExternalData(entry("offset", offset));
        }
        if (length != null) {
            weight.addExternalData(entry("length", length));
        }
        sketch.graph.addInitializer(weight);
        return Files.write(folder.resolve("model.onnx"), sketch.model().toByteArray());
    }

    @Test
    void refusesFewerBytesThanTheWeightHas() throws IOException {
        Path bad = write("model.data", "64", "4");
        assertTrue(assertThrows(GraphException.class, () -> GraphFile.read(bad)).getMessage()
            .contains("that is 8 bytes, but only 4 of"));
    }

    /** ONNX Runtime would take the offset for an address, although there is such a file. */
    @ParameterizedTest
    @ValueSource(strings = {"*/_ORT_MEM_ADDR_/*", "*/_ORT_NATIVE_ENDIAN_MEM_ADDR_/*"})
    void refusesTheNameOfMemory(String location) throws IOException {
        assumeTrue(File.separatorChar == '/', "files may be called * here");
        Path file = folder.resolve(location);
        Files.createDirectories(file.getParent());
        Files.write(file, new byte[PADDING + 8]);
        Path bad = write(location, "64", "8");
        assertTrue(assertThrows(GraphException.class, () -> GraphFile.read(bad)).getMessage()
            .contains("which is not inside the model's folder"));
    }

    private static StringStringEntryProto entry(String key, String value) {
        return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
    }

    private static float[] run(Graph graph) throws OrtException {
        OnnxRunner runner = new OnnxRunner();
        return OnnxRunner.floats(runner.run(graph, Map.of("x", runner.tensor(new float[] {1, 2}, 2))).get("y"));
    }

    @Test
    void weightsStayInTheirFileAndEnginesFindThem() throws OrtException {
        Graph graph = GraphFile.read(model);

        assertTrue(GraphFile.serialize(graph).length < 1000);
        assertArrayEquals(new float[] {11, 22}, run(graph));
    }

    @Test
    void modelWrittenToAnotherFolderHasItsWeights() throws IOException, OrtException {
        Path copy = root.resolve("elsewhere").resolve("copy.onnx");

        GraphFile.write(GraphFile.read(model), copy);
        Files.delete(model);
        Files.delete(folder.resolve("model.data"));

        assertArrayEquals(new float[] {11, 22}, run(GraphFile.read(copy)));
    }

    @Test
    void weightsBehindASymbolicLinkAreFoundFromAnotherFolder() throws IOException, OrtException {
        Path blob = Files.move(folder.resolve("model.data"), folder.resolve("blob"));
        try {
            Files.createSymbolicLink(folder.resolve("model.data"), Path.of("blob"));
        } catch (IOException | UnsupportedOperationException notHere) {
            assumeTrue(false, "symbolic links are not possible here: " + notHere);
        }
        Path copy = root.resolve("a").resolve("b").resolve("copy.onnx");

        GraphFile.write(GraphFile.read(model), copy);

        assertTrue(Files.isSameFile(blob, copy.resolveSibling("model.data")));
        assertArrayEquals(new float[] {11, 22}, run(GraphFile.read(copy)));
    }

    @Test
    void otherFilesAreNotOverwrittenByWeights() throws IOException {
        Path other = Files.createDirectory(root.resolve("other"));
        Path data = Files.writeString(other.resolve("model.data"), "mine");

        assertThrows(GraphException.class, () ->
            GraphFile.write(GraphFile.read(model), other.resolve("model.onnx")));
        assertEquals("mine", Files.readString(data));
    }

    @Test
    void weightsAreNotOverwrittenByTheirModel() throws IOException {
        assertThrows(GraphException.class, () ->
            GraphFile.write(GraphFile.read(model), folder.resolve("model.data")));
        assertEquals(PADDING + 8, Files.size(folder.resolve("model.data")));
    }

    @Test
    void moreThanTwoGibibytesOfWeightsOpenWithoutBeingRead() throws IOException {
        long offset = 5L << 30;
        try (SeekableByteChannel file = Files.newByteChannel(folder.resolve("big.data"), StandardOpenOption.CREATE_NEW,
            StandardOpenOption.WRITE, StandardOpenOption.SPARSE)) {
            file.position(offset).write(ByteBuffer.allocate(8));
        }

        Graph graph = GraphFile.read(write("big.data", Long.toString(offset), null));

        assertEquals(offset, ExternalData.range(graph.weights().get("w")).orElseThrow().offset());
    }

    @Test
    void errorsNameTheWeightAndTheReason() throws IOException {
        assertFails(write("none.data", null, null), "none.data, which is missing");
        assertFails(write("model.data", "65", "8"), "needs bytes 65 to 73 of");
        assertFails(write("model.data", "68", null), "which has only 72");
        assertFails(write("model.data", Long.toString(Long.MAX_VALUE), "8"), "which has only 72");
        assertFails(write("model.data", "many", "8"), "'many'");
        assertFails(write("model.data", "-1", "8"), "'-1'");
        assertFails(write("../secret", null, null), "not inside the model's folder");
        assertFails(write(folder.resolve("model.data").toString(), null, null), "not inside the model's folder");
        assertFails(write("", null, null), "not inside the model's folder");
        assertFails(write("a\0b", null, null), "not inside the model's folder");
    }

    private static void assertFails(Path file, String reason) {
        String said = assertThrows(GraphException.class, () -> GraphFile.read(file)).getMessage();
        assertTrue(said.startsWith(file + ": weight 'w'") && said.contains(reason), said);
    }
}
