package dev.slipstream.pipelines.diffusion;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.pipelines.diffusion.noise.Noise;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphSketch;
import java.util.Arrays;
import java.util.List;

/** Writes a tiny denoiser layer by layer: four channels everywhere, weights by chance, module paths for names. */
final class TinyLayers {
    static final String TEXT = "encoder_hidden_states";
    private static final long CHANNELS = 4;
    private static final AttributeProto PADDED = integers("pads", 1, 1, 1, 1);
    private static final AttributeProto TURNED = integers("perm", 0, 2, 1);

    private final GraphSketch sketch = new GraphSketch();
    private final long height;
    private final long width;
    private final long words;
    private final boolean flattens;

    /**
     * Begins one.
     *
     * @param sample name of the latents [rows, channels, height, width]
     * @param flattens whether layers take tokens of all rows at once, as exporters write transformers
     */
    TinyLayers(String sample, long height, long width, long words, boolean flattens) {
        this.height = height;
        this.width = width;
        this.words = words;
        this.flattens = flattens;
        sketch.input(sample, -1, CHANNELS, height, width).input("timestep", 1).input(TEXT, -1, words, CHANNELS)
            .weight("slow", new float[] {0.001f}, 1)
            .node("Mul", "/time/Mul", List.of("timestep", "slow"), "temb");
    }

    String add(String module, String one, String other) {
        return node("Add", module, List.of(one, other));
    }

    String tanh(String module, String x) {
        return node("Tanh", module, List.of(x));
    }

    String conv(String module, String x, long stride) {
        return node("Conv", module, List.of(x, weight(module, CHANNELS, CHANNELS, 3, 3)), PADDED,
            integers("strides", stride, stride));
    }

    String norm(String module, String x) {
        sketch.weight(module + ".one", new float[] {1, 1, 1, 1}, CHANNELS)
            .weight(module + ".zero", new float[] {0, 0, 0, 0}, CHANNELS);
        return node("InstanceNormalization", module, List.of(x, module + ".one", module + ".zero"));
    }

    String enlarged(String module, String x) {
        sketch.weight(module + ".scales", new float[] {1, 1, 2, 2}, 4);
        return node("Resize", module, List.of(x, "", module + ".scales"));
    }

    /** Pixels become tokens [rows, tokens, channels]. */
    String tokens(String module, String x) {
        return node("Transpose", module, List.of(reshaped(module, x, 0, CHANNELS, -1)), TURNED);
    }

    String pixels(String module, String tokens, long columns) {
        return reshaped(module + "/pixels", node("Transpose", module + "/pixels", List.of(tokens), TURNED), 0, CHANNELS,
            -1, columns);
    }

    private String reshaped(String module, String x, long... dims) {
        sketch.weight(TensorProto.newBuilder().setName(module + ".dims").addDims(dims.length)
            .setDataType(TensorProto.DataType.INT64.getNumber())
            .addAllInt64Data(Arrays.stream(dims).boxed().toList()).build());
        return node("Reshape", module, List.of(x, module + ".dims"));
    }

    /** What tokens see is added to them. @param of what they look at */
    String attention(String module, String tokens, String of) {
        String keys = node("Transpose", module + "/turn", List.of(linear(module + "/to_k", of)), TURNED);
        String scores = node("MatMul", module + "/scores", List.of(linear(module + "/to_q", tokens), keys));
        String map = node("Softmax", module, List.of(scores), GraphSketch.integer("axis", -1));
        String seen = node("MatMul", module + "/seen", List.of(map, linear(module + "/to_v", of)));
        return add(module, tokens, linear(module + "/to_out", seen));
    }

    String linear(String module, String x) {
        String weight = weight(module, CHANNELS, CHANNELS);
        if (!flattens) {
            return node("MatMul", module, List.of(x, weight));
        }
        String made = node("MatMul", module, List.of(reshaped(module + "/flat", x, -1, CHANNELS), weight));
        return reshaped(module + "/rows", made, -1, x.equals(TEXT) ? words : height * width, CHANNELS);
    }

    private String weight(String module, long... dims) {
        String name = module + ".weight";
        int elements = (int) Arrays.stream(dims).reduce(1, Math::multiplyExact);
        float[] values = Noise.initialLatents(name.hashCode()).draw(elements);
        for (int i = 0; i < elements; i++) {
            values[i] *= 0.4f;
        }
        sketch.weight(name, values, dims);
        return name;
    }

    private String node(String operator, String module, List<String> inputs, AttributeProto... attributes) {
        String output = module.substring(1) + ":" + operator;
        sketch.node(operator, module + "/" + operator, inputs, output, attributes);
        return output;
    }

    private static AttributeProto integers(String name, long... values) {
        return AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.INTS)
            .addAllInts(Arrays.stream(values).boxed().toList()).build();
    }

    Graph build(String prediction) {
        return sketch.node("Identity", "/Identity", List.of(prediction), "out_sample")
            .output("out_sample", -1, CHANNELS, height, width).build();
    }
}
