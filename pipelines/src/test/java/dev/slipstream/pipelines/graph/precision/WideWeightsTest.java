package dev.slipstream.pipelines.graph.precision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataLocation;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import dev.slipstream.pipelines.graph.ExternalData;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphProtos;
import dev.slipstream.pipelines.graph.GraphSketch;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WideWeightsTest {
    /** All bit patterns, and more than are written at once. */
    private static final int COUNT = (1 << 16) + 3;

    @TempDir
    private Path folder;

    private static TensorProto external(String name, int type, long offset, long length, long... dims) {
        TensorProto.Builder weight = TensorProto.newBuilder().setName(name).setDataType(type)
            .setDataLocation(DataLocation.EXTERNAL).addExternalData(entry("location", "stored.bin"))
            .addExternalData(entry("offset", Long.toString(offset)))
            .addExternalData(entry("length", Long.toString(length)));
        for (long dim : dims) {
            weight.addDims(dim);
        }
        return weight.build();
    }

    private static StringStringEntryProto entry(String key, String value) {
        return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
    }

    /** {@code y = x · cast(halves) + singles}, with both in a file. */
    private Graph graph(int type) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(COUNT * Short.BYTES + COUNT * Float.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < COUNT; i++) {
            bytes.putShort((short) i);
        }
        for (int i = 0; i < COUNT; i++) {
            bytes.putFloat(i);
        }
        Files.write(folder.resolve("stored.bin"), bytes.array());
        return GraphProtos.read(new GraphSketch().input("x", COUNT)
            .weight(external("halves", type, 0, COUNT * Short.BYTES, COUNT))
            .weight(external("singles", DataType.FLOAT_VALUE, COUNT * Short.BYTES, COUNT * Float.BYTES, COUNT))
            .node("Cast", "/a/Cast", List.of("halves"), "w", GraphSketch.integer("to", DataType.FLOAT_VALUE))
            .node("Mul", "/a/Mul", List.of("x", "w"), "product")
            .node("Add", "/a/Add", List.of("product", "singles"), "y").output("y", COUNT).model(),
            Optional.of(folder));
    }

    @ParameterizedTest
    @ValueSource(ints = {DataType.FLOAT16_VALUE, DataType.BFLOAT16_VALUE})
    void everyHalfIsTheFloatOfItsValueAndAllElseIsAsItWas(int type) throws IOException {
        Graph graph = graph(type);
        assertTrue(WideWeights.areIn(graph));
        Path file = Files.createDirectory(folder.resolve("wide")).resolve("wide.bin");
        Graph wide = WideWeights.write(graph, file);

        assertEquals(List.of("Mul", "Add"), wide.nodes().stream().map(NodeProto::getOpType).toList());
        assertEquals(List.of("singles", "w"), wide.weights().keySet().stream().sorted().toList());
        assertEquals(List.of(file.toRealPath()), List.copyOf(wide.weightFiles()));
        assertFalse(WideWeights.areIn(wide));
        try (Arena arena = Arena.ofConfined()) {
            TensorProto halves = graph.weights().get("halves");
            StoredFloats stored = StoredFloats.of(halves, ExternalData.map(graph, halves, arena));
            TensorProto w = wide.weights().get("w");
            StoredFloats written = StoredFloats.of(w, ExternalData.map(wide, w, arena));
            TensorProto singles = wide.weights().get("singles");
            StoredFloats copied = StoredFloats.of(singles, ExternalData.map(wide, singles, arena));
            assertEquals(DataType.FLOAT_VALUE, w.getDataType());
            for (int i = 0; i < COUNT; i++) {
                assertEquals(stored.at(i), written.at(i));
                assertEquals(i, copied.at(i));
            }
        }
    }

    @Test
    void whatTheGraphDoesNotWidenStays() throws IOException {
        Graph product = GraphProtos.read(new GraphSketch().input("x", 2)
            .weight(external("singles", DataType.FLOAT_VALUE, 0, 8, 2))
            .weight(external("halves", DataType.FLOAT16_VALUE, 8, 4, 2))
            .node("Cast", "/a/Cast", List.of("halves"), "w", GraphSketch.integer("to", DataType.DOUBLE_VALUE))
            .node("Mul", "/a/Mul", List.of("x", "singles"), "y").output("y", 2).model(), Optional.of(folder));
        assertFalse(WideWeights.areIn(product));
    }

    @Test
    void aFileThatIsThereIsNotWrittenOver() throws IOException {
        Graph graph = graph(DataType.FLOAT16_VALUE);
        assertThrows(FileAlreadyExistsException.class, () -> WideWeights.write(graph, folder.resolve("stored.bin")));
    }
}
