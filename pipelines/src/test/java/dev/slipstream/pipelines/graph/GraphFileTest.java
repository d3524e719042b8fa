package dev.slipstream.pipelines.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GraphFileTest {
    @TempDir
    Path folder;

    private static GraphSketch sketch() {
        return new GraphSketch().input("x", 2).output("y", 2).weight("w", new float[] {1, 2}, 2)
            .node("Add", "/Add", List.of("x", "w"), "sum")
            .node("Tanh", "/Tanh", List.of("sum"), "y");
    }

    @Test
    void readsWhatItWrote() throws IOException {
        Path file = folder.resolve("new").resolve("model.onnx");
        Graph graph = sketch().build();

        GraphFile.write(graph, file);
        Graph read = GraphFile.read(file);

        assertEquals(GraphProtos.write(graph), GraphProtos.write(read));
        assertEquals(file.toAbsolutePath().getParent(), read.folder().orElseThrow());
        assertArrayEquals(GraphFile.serialize(graph), Files.readAllBytes(file));
        try (Arena arena = Arena.ofConfined()) {
            assertArrayEquals(GraphFile.serialize(graph),
                GraphFile.serialize(graph, arena).toArray(ValueLayout.JAVA_BYTE));
        }
    }

    @Test
    void writingReplacesAFileAndLeavesNothingBeside() throws IOException {
        Path file = Files.writeString(folder.resolve("model.onnx"), "old");

        GraphFile.write(sketch().build(), file);

        assertEquals(2, GraphFile.read(file).nodes().size());
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(file), files.toList());
        }
    }

    @Test
    void writingOverAFolderFailsAndKeepsIt() throws IOException {
        Path target = Files.createDirectory(folder.resolve("model.onnx"));

        assertThrows(GraphException.class, () -> GraphFile.write(sketch().build(), target));
        assertTrue(Files.isDirectory(target));
    }

    @Test
    void errorsNameTheFileAndTheReason() throws IOException {
        Path missing = folder.resolve("none.onnx");
        assertEquals("there is no file " + missing,
            assertThrows(GraphException.class, () -> GraphFile.read(missing)).getMessage());
        assertFails(folder, "is a folder");
        assertFails(write(""), "is empty");
        assertFails(write("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), "Git LFS pointer");
        assertFails(write("\n<!DOCTYPE html><html>404</html>"), "is a web page");
        assertFails(write("{\"weights\": 1}"), "is not an ONNX file");
        assertFails(write(new byte[] {8, 8, 1, 2, 3, 4, 5}), "truncated or damaged");
        byte[] whole = sketch().model().toByteArray();
        assertFails(write(Arrays.copyOf(whole, whole.length / 2)), "truncated or damaged");
        assertFails(write(ModelProto.newBuilder().setIrVersion(8).build().toByteArray()), "holds no graph");
        assertFails(write(sketch().model().toBuilder().clearOpsetImport()
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(10)).build().toByteArray()),
            "operator set 10 is too old");
    }

    @Test
    void noDamageGivesAnythingButAGraphOrAnErrorThatNamesTheFile() throws IOException {
        byte[] whole = sketch().model().toByteArray();
        Random random = new Random(3);
        int graphs = 0;
        for (int round = 0; round < 3000; round++) {
            byte[] damaged = Arrays.copyOf(whole, round < whole.length ? round : whole.length);
            for (int flips = random.nextInt(3); flips > 0 && damaged.length > 0; flips--) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
            }
            Path file = write(damaged);
            try {
                GraphFile.read(file);
                graphs++;
            } catch (GraphException expected) {
                assertTrue(expected.getMessage().contains(file.toString()), expected.getMessage());
            }
        }
        assertTrue(graphs > 0);
    }

    @Test
    void brokenGraphsAreNotRead() throws IOException {
        assertFails(write(sketch().node("Tanh", "/Twice", List.of("x"), "y")), "'y' is made twice");
        assertFails(write(sketch().node("Tanh", "/Lost", List.of("nothing"), "z")),
            "/Lost reads tensor 'nothing'");
        assertFails(write(sketch().node("Add", "/A", List.of("x", "b"), "a").node("Tanh", "/B", List.of("a"), "b")),
            "circle");
    }

    private Path write(GraphSketch sketch) throws IOException {
        return write(sketch.model().toByteArray());
    }

    private Path write(String text) throws IOException {
        return write(text.getBytes(StandardCharsets.UTF_8));
    }

    private Path write(byte[] bytes) throws IOException {
        return Files.write(folder.resolve("model.onnx"), bytes);
    }

    private static void assertFails(Path file, String reason) {
        String said = assertThrows(GraphException.class, () -> GraphFile.read(file)).getMessage();
        assertTrue(said.contains(file.toString()) && said.contains(reason), said);
        assertFalse(said.contains("null"), said);
    }
}
