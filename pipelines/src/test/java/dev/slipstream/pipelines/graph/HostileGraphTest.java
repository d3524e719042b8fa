package dev.slipstream.pipelines.graph;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a file can claim and no exporter would write. */
class HostileGraphTest {
    private static GraphSketch sketch() {
        return new GraphSketch().input("x", 2).output("y", 2).weight("w", new float[] {1, 2}, 2)
            .node("Add", "/Add", List.of("x", "w"), "y");
    }

    private static void assertRefused(GraphSketch sketch, String expected) {
        String message = assertThrows(GraphException.class, sketch::build).getMessage();
        assertTrue(message.contains(expected), message);
    }

    private static GraphSketch withWeight(TensorProto.Builder weight) {
        GraphSketch sketch = sketch();
        sketch.graph.setInitializer(0, weight.setName("w"));
        return sketch;
    }

    @ParameterizedTest
    @CsvSource({"-1;2, negative dimension", "-9223372036854775808, negative dimension",
        "4294967296;4294967296, too large to be true", "9223372036854775807, too large to be true",
        "2;4294967296;2147483648, too large to be true", "3, 12 bytes"})
    void weightsWithDimensionsThatCannotBeAreRefused(String dims, String expected) {
        TensorProto.Builder weight = TensorProto.newBuilder().setDataType(DataType.FLOAT_VALUE)
            .setRawData(ByteString.copyFrom(new byte[8]));
        for (String dim : dims.split(";")) {
            weight.addDims(Long.parseLong(dim));
        }
        assertRefused(withWeight(weight), expected);
    }

    @Test
    void weightsWithThousandsOfDimensionsAreRefused() {
        TensorProto.Builder weight = TensorProto.newBuilder().setDataType(DataType.FLOAT_VALUE).addFloatData(1);
        for (int i = 0; i < 5000; i++) {
            weight.addDims(1);
        }
        assertRefused(withWeight(weight), "has 5000 dimensions, more than 64");
    }

    @Test
    void namesThatComeTwiceAreRefused() {
        assertRefused(sketch().weight("w", new float[] {3}, 1), "weight 'w' is there twice");
        assertRefused(sketch().input("x", 2), "input 'x' is there twice");
        assertRefused(sketch().output("y", 2), "output 'y' is there twice");
        assertRefused(sketch().node("Tanh", "/Tanh", List.of("w"), "x"), "tensor 'x' is made twice");
    }

    @Test
    void outputsThatNothingMakesAreRefused() {
        assertRefused(sketch().output("z", 2), "output 'z' is no input, no weight and no node's output");
    }

    @Test
    void graphsInsideGraphsWithoutEndAreRefused(@TempDir Path folder) throws IOException {
        NodeProto node = NodeProto.newBuilder().setOpType("Tanh").addInput("x").addOutput("y").build();
        for (int i = 0; i < 500; i++) {
            node = NodeProto.newBuilder().setOpType("If").addInput("x").addOutput("y")
                .addAttribute(AttributeProto.newBuilder().setName("then_branch")
                    .setG(GraphProto.newBuilder().addNode(node))).build();
        }
        GraphSketch sketch = new GraphSketch().input("x", 2).output("y", 2);
        sketch.graph.addNode(node);
        Path file = Files.write(folder.resolve("model.onnx"), sketch.model().toByteArray());
        String message = assertThrows(GraphException.class, () -> GraphFile.read(file)).getMessage();
        assertTrue(message.contains("too many levels of nesting"), message);
    }
}
