package dev.slipstream.pipelines.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataLocation;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnxruntime.OrtException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LinkedWeightsTest {
    @TempDir
    private Path root;

    /** y = x + v + w, with v and w in files of their own. */
    private static byte[] model() {
        GraphSketch sketch = new GraphSketch().input("x", 2).output("y", 2)
            .node("Add", "/first/Add", List.of("x", "v"), "xv").node("Add", "/second/Add", List.of("xv", "w"), "y");
        for (String name : List.of("v", "w")) {
            sketch.graph.addInitializer(TensorProto.newBuilder().setName(name).setDataType(DataType.FLOAT_VALUE)
                .addDims(2).setDataLocation(DataLocation.EXTERNAL).addExternalData(
                    StringStringEntryProto.newBuilder().setKey("location").setValue(name + ".data")));
        }
        return sketch.model().toByteArray();
    }

    private static Path floats(Path file, float... values) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        Files.createDirectories(file.getParent());
        return Files.write(file, bytes.array());
    }

    private static Path link(Path from, Path to) throws IOException {
        Files.createDirectories(from.getParent());
        try {
            return Files.createSymbolicLink(from, to);
        } catch (IOException | UnsupportedOperationException notHere) {
            assumeTrue(false, "symbolic links are not possible here: " + notHere);
            return from;
        }
    }

    private static void assertRuns(Path onnx) throws OrtException {
        OnnxRunner runner = new OnnxRunner();
        Graph graph = LinkedWeights.follow(GraphFile.read(onnx));
        assertArrayEquals(new float[] {111, 222}, OnnxRunner.floats(
            runner.run(graph, Map.of("x", runner.tensor(new float[] {1, 2}, 2))).get("y")));
    }

    @Test
    void linksOfTheHubsCacheAreFollowed() throws IOException, OrtException {
        Path snapshot = root.resolve("snapshots").resolve("4f1").resolve("unet");
        Path blobs = Files.createDirectories(root.resolve("blobs"));
        link(snapshot.resolve("model.onnx"), Files.write(blobs.resolve("m0"), model()));
        link(snapshot.resolve("v.data"), floats(blobs.resolve("v1"), 10, 20));
        link(snapshot.resolve("w.data"), floats(blobs.resolve("w2"), 100, 200));

        assertRuns(snapshot.resolve("model.onnx"));
    }

    @Test
    void linksToWhereTheModelsOwnLinkLeadsAreFollowed() throws IOException, OrtException {
        Path store = Files.createDirectories(root.resolve("store"));
        Path folder = root.resolve("model");
        link(folder.resolve("model.onnx"), Files.write(store.resolve("any.onnx"), model()));
        link(folder.resolve("v.data"), floats(store.resolve("more").resolve("v"), 10, 20));
        floats(folder.resolve("w.data"), 100, 200);

        assertRuns(folder.resolve("model.onnx"));
    }

    @Test
    void graphsWhoseWeightsLieBesideThemStayAsTheyAre() throws IOException, OrtException {
        Path onnx = Files.write(root.resolve("model.onnx"), model());
        floats(root.resolve("v.data"), 10, 20);
        link(root.resolve("w.data"), floats(root.resolve("deeper").resolve("w"), 100, 200));

        Graph graph = GraphFile.read(onnx);

        assertSame(graph, LinkedWeights.follow(graph));
        assertRuns(onnx);
    }

    @Test
    void linksToWhatIsNoPartOfTheModelAreRefused() throws IOException {
        Path folder = Files.createDirectories(root.resolve("model"));
        Path onnx = Files.write(folder.resolve("model.onnx"), model());
        floats(folder.resolve("v.data"), 10, 20);
        Path secret = floats(root.resolve("secret"), 1, 2);
        Path link = link(folder.resolve("w.data"), secret);

        String said = assertThrows(GraphException.class, () -> GraphFile.read(onnx)).getMessage();

        assertEquals(onnx + ": " + link + " is a link out of the folder, to " + secret.toRealPath()
            + "; put the file itself there", said);
    }

    @Test
    void aFileThatIsGoneIsNamed() throws IOException {
        Path onnx = Files.write(root.resolve("model.onnx"), model());
        floats(root.resolve("v.data"), 10, 20);
        floats(root.resolve("w.data"), 100, 200);
        Graph graph = GraphFile.read(onnx);
        Files.delete(root.resolve("w.data"));

        String said = assertThrows(GraphException.class, () -> LinkedWeights.follow(graph)).getMessage();

        assertTrue(said.contains("w.data"), said);
    }
}
