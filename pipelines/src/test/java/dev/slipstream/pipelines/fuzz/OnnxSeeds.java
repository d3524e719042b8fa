package dev.slipstream.pipelines.fuzz;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.pipelines.ReferenceFiles;
import dev.slipstream.pipelines.graph.GraphProtos;
import dev.slipstream.pipelines.graph.GraphSketch;
import dev.slipstream.pipelines.graph.shape.DynamicAttention;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Good ONNX files to be damaged: two small ones with most operators, and the reference models where they are. */
final class OnnxSeeds {
    static final int SMALL = 2;
    static final String WEIGHTS = "weights.bin";
    static final long WEIGHT_BYTES = 64 << 20;

    private OnnxSeeds() {
    }

    static List<byte[]> all() throws IOException {
        List<byte[]> seeds = new ArrayList<>();
        seeds.add(GraphProtos.write(DynamicAttention.graph()).toByteArray());
        seeds.add(operators().toByteArray());
        for (String name : List.of("sd21", "sdxl")) {
            Optional<Path> file = ReferenceFiles.find(Path.of("reference", name, "unet", "model.onnx"));
            if (file.isPresent()) {
                seeds.add(thin(ModelProto.parseFrom(Files.readAllBytes(file.get()))).toByteArray());
            }
        }
        return seeds;
    }

    /** Operators that make much out of little. */
    private static ModelProto operators() {
        float[] values = {1, 2, 3, 4};
        return new GraphSketch().input("sample", -1, 4, 16, 16).input("timestep", 1).output("y", -1, 4, 16, 16)
            .weight("kernel", new float[4 * 4 * 3 * 3], 4, 4, 3, 3).weight("four", values, 4)
            .node("Shape", "/shape/Shape", List.of("sample"), "shape")
            .node("ConstantOfShape", "/filled/ConstantOfShape", List.of("shape"), "filled")
            .node("Expand", "/spread/Expand", List.of("timestep", "shape"), "spread")
            .node("Size", "/size/Size", List.of("sample"), "size")
            .node("Sub", "/none/Sub", List.of("size", "size"), "none")
            .node("Div", "/one/Div", List.of("size", "size"), "one")
            .node("Range", "/range/Range", List.of("none", "size", "one"), "range")
            .node("Reshape", "/grid/Reshape", List.of("range", "shape"), "grid")
            .node("Cast", "/real/Cast", List.of("grid"), "real", GraphSketch.integer("to", 1))
            .node("Tile", "/tiled/Tile", List.of("range", "shape"), "tiled")
            .node("Conv", "/conv/Conv", List.of("filled", "kernel"), "inner")
            .node("ConvTranspose", "/turned/ConvTranspose", List.of("inner", "kernel"), "outer")
            .node("Split", "/parts/Split", List.of("outer"), "part", GraphSketch.integer("axis", 1))
            .node("Concat", "/joined/Concat", List.of("part"), "joined", GraphSketch.integer("axis", 1))
            .node("Add", "/sum/Add", List.of("joined", "sample"), "sum")
            .node("Mul", "/scaled/Mul", List.of("sum", "spread"), "scaled")
            .node("Softmax", "/soft/Softmax", List.of("scaled"), "soft")
            .node("Add", "/last/Add", List.of("soft", "real"), "y").model();
    }

    /** The model with its weights elsewhere, so that damage hits the graph. */
    private static ModelProto thin(ModelProto model) {
        GraphProto.Builder graph = model.getGraph().toBuilder();
        for (int i = 0; i < graph.getInitializerCount(); i++) {
            TensorProto weight = graph.getInitializer(i);
            if (weight.getRawData().size() > 64) {
                graph.setInitializer(i, weight.toBuilder().clearRawData()
                    .setDataLocation(TensorProto.DataLocation.EXTERNAL).addExternalData(entry("location", WEIGHTS))
                    .addExternalData(entry("length", Integer.toString(weight.getRawData().size()))));
            }
        }
        return model.toBuilder().setGraph(graph).build();
    }

    private static StringStringEntryProto entry(String key, String value) {
        return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
    }
}
