package dev.slipstream.pipelines.model.lora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.pipelines.model.weights.WeightStore;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Adapters of every kind, in the usual names, for transformers and their T5, against changes computed plainly. */
class TransformerAdaptersTest {
    private static final int RANK = 2;
    private static final double WANTED = 0.5;

    @TempDir
    private Path folder;
    private final Random random = new Random(7);
    private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();

    /** What an adapter makes of a weight [rows, columns]. */
    private enum Kind { LORA, LOHA, LOKR, FULL, DORA }

    /** Which weights a name of a layer means, stacked in this order. */
    private record Layer(ModelFamily family, String name, List<String> weights) {
        @Override
        public String toString() {
            return family.id() + " " + name;
        }
    }

    private static Stream<Arguments> layersOfEveryKind() {
        List<Layer> layers = List.of(
            new Layer(ModelFamily.SD3_MEDIUM, "transformer.transformer_blocks.0.attn.to_q",
                List.of("transformer_blocks.0.attn.to_q")),
            new Layer(ModelFamily.SD3_MEDIUM, "lycoris_transformer_blocks_0_ff_net_0_proj",
                List.of("transformer_blocks.0.ff.net.0.proj")),
            new Layer(ModelFamily.SD3_MEDIUM, "lora_unet_joint_blocks_0_x_block_attn_qkv",
                List.of("transformer_blocks.0.attn.to_q", "transformer_blocks.0.attn.to_k",
                    "transformer_blocks.0.attn.to_v")),
            new Layer(ModelFamily.FLUX_DEV, "base_model.model.single_transformer_blocks.0.proj_mlp",
                List.of("single_transformer_blocks.0.proj_mlp")),
            new Layer(ModelFamily.FLUX_DEV, "lora_unet_double_blocks_0_txt_attn_qkv",
                List.of("transformer_blocks.0.attn.add_q_proj", "transformer_blocks.0.attn.add_k_proj",
                    "transformer_blocks.0.attn.add_v_proj")),
            new Layer(ModelFamily.FLUX_DEV, "diffusion_model.single_blocks.0.linear1",
                List.of("single_transformer_blocks.0.attn.to_q", "single_transformer_blocks.0.attn.to_k",
                    "single_transformer_blocks.0.attn.to_v", "single_transformer_blocks.0.proj_mlp")),
            new Layer(ModelFamily.PIXART_SIGMA, "lora_transformer_transformer_blocks_0_attn2_to_k",
                List.of("transformer_blocks.0.attn2.to_k")),
            new Layer(ModelFamily.PIXART_SIGMA, "base_model.model.adaln_single.linear",
                List.of("adaln_single.linear")),
            new Layer(ModelFamily.DIT, "transformer.transformer_blocks.0.attn1.to_v",
                List.of("transformer_blocks.0.attn1.to_v")));
        return layers.stream().flatMap(layer -> Stream.of(Kind.values()).map(kind -> Arguments.of(layer, kind)));
    }

    private ModelFolder model(ModelFamily family) {
        ModelTemplate.of(family, true).write(folder.resolve("model"));
        return ModelFolder.open(folder.resolve("model"));
    }

    private float[] factor(String name, int rows, int columns) {
        StoredTensor tensor = MergedWeights.random(random, rows, columns);
        tensors.put(name, tensor);
        return tensor.toFloats();
    }

    private static double[] product(float[] up, float[] down, int rows, int columns) {
        double[] product = new double[rows * columns];
        for (int i = 0; i < product.length; i++) {
            for (int r = 0; r < RANK; r++) {
                product[i] += up[i / columns * RANK + r] * down[r * columns + i % columns];
            }
        }
        return product;
    }

    /** Adds the tensors of an adapter and says what becomes of the weight. */
    private double[] changed(String name, Kind kind, float[] weight, int rows, int columns) {
        double[] change = switch (kind) {
            case LORA, DORA -> product(factor(name + ".lora_up.weight", rows, RANK),
                factor(name + ".lora_down.weight", RANK, columns), rows, columns);
            case LOHA -> {
                double[] first = product(factor(name + ".hada_w1_a", rows, RANK),
                    factor(name + ".hada_w1_b", RANK, columns), rows, columns);
                double[] second = product(factor(name + ".hada_w2_a", rows, RANK),
                    factor(name + ".hada_w2_b", RANK, columns), rows, columns);
                for (int i = 0; i < first.length; i++) {
                    first[i] *= second[i];
                }
                yield first;
            }
            case LOKR -> {
                float[] outer = factor(name + ".lokr_w1", 2, 2);
                float[] inner = factor(name + ".lokr_w2", rows / 2, columns / 2);
                double[] kronecker = new double[rows * columns];
                for (int i = 0; i < kronecker.length; i++) {
                    int row = i / columns;
                    int column = i % columns;
                    kronecker[i] = outer[row / (rows / 2) * 2 + column / (columns / 2)]
                        * inner[row % (rows / 2) * (columns / 2) + column % (columns / 2)];
                }
                yield kronecker;
            }
            case FULL -> {
                float[] all = factor(name + ".diff", rows, columns);
                double[] wide = new double[all.length];
                for (int i = 0; i < all.length; i++) {
                    wide[i] = all[i];
                }
                yield wide;
            }
        };
        if (kind == Kind.DORA) {
            float[] lengths = factor(name + ".dora_scale", rows, 1);
            for (int row = 0; row < rows; row++) {
                double squares = 0;
                for (int i = row * columns; i < (row + 1) * columns; i++) {
                    squares += Math.pow(weight[i] + change[i], 2);
                }
                for (int i = row * columns; i < (row + 1) * columns; i++) {
                    change[i] = lengths[row] * (weight[i] + change[i]) / Math.sqrt(squares) - weight[i];
                }
            }
        }
        for (int i = 0; i < change.length; i++) {
            change[i] = weight[i] + WANTED * change[i];
        }
        return change;
    }

    private Loras adapter() {
        Path file = folder.resolve("adapter.safetensors");
        SafetensorsWriter.write(file, tensors, Map.of());
        return Loras.NONE.storedIn(new WeightStore(folder.resolve("store"), Long.MAX_VALUE))
            .and(Lora.read(file), WANTED);
    }

    private void assertMerged(ModelFolder model, Component component, Layer layer, Kind kind) {
        Checkpoint plain = model.checkpoint(component);
        List<Integer> ends = new ArrayList<>();
        int rows = 0;
        int columns = 0;
        for (String weight : layer.weights()) {
            Shape shape = plain.weights().get(weight + ".weight").shape();
            columns = (int) shape.dim(1);
            rows += (int) shape.dim(0);
            ends.add(rows);
        }
        float[] whole = new float[rows * columns];
        for (int i = 0; i < ends.size(); i++) {
            float[] part = MergedWeights.values(plain.weights().get(layer.weights().get(i) + ".weight"));
            System.arraycopy(part, 0, whole, (i == 0 ? 0 : ends.get(i - 1)) * columns, part.length);
        }
        double[] expected = changed(layer.name(), kind, whole, rows, columns);
        try (OpenLoras open = adapter().open()) {
            Checkpoint merged = open.mergedInto(model).checkpoint(component);
            int at = 0;
            for (String weight : layer.weights()) {
                float[] values = MergedWeights.values(merged.weights().get(weight + ".weight"));
                for (int i = 0; i < values.length; i++) {
                    assertEquals(expected[at + i], values[i], 1e-5, weight + " " + i);
                }
                at += values.length;
            }
            assertEquals(expected.length, at);
        }
    }

    @ParameterizedTest
    @MethodSource("layersOfEveryKind")
    void aLayerOfATransformerIsChanged(Layer layer, Kind kind) {
        try (ModelFolder model = model(layer.family())) {
            assertMerged(model, Component.DENOISER, layer, kind);
        }
    }

    @ParameterizedTest
    @CsvSource({"SD3_MEDIUM, TEXT_ENCODER_3", "FLUX_DEV, TEXT_ENCODER_2", "PIXART_SIGMA, TEXT_ENCODER"})
    void theT5OfAModelIsChangedWhicheverOfItsEncodersItIs(ModelFamily family, Component t5) {
        String weight = "encoder.block.0.layer.0.SelfAttention.q";
        for (String name : List.of("lora_te3_encoder_block_0_layer_0_SelfAttention_q",
            "text_encoders.t5xxl.transformer." + weight, "base_model.model." + weight)) {
            tensors.clear();
            try (ModelFolder model = ModelFolder.open(written(family))) {
                assertMerged(model, t5, new Layer(family, name, List.of(weight)), Kind.LORA);
            }
        }
    }

    private Path written(ModelFamily family) {
        Path written = folder.resolve("model");
        if (!written.toFile().exists()) {
            ModelTemplate.of(family, true).write(written);
        }
        return written;
    }

    @Test
    void whereThereIsNoT5ItsAdapterIsRefused() {
        factor("lora_te3_encoder_block_0_layer_0_SelfAttention_q.lora_up.weight", 4, RANK);
        factor("lora_te3_encoder_block_0_layer_0_SelfAttention_q.lora_down.weight", RANK, 4);
        try (ModelFolder model = model(ModelFamily.SD15); OpenLoras open = adapter().open()) {
            ModelException refused = assertThrows(ModelException.class, () -> open.mergedInto(model));
            assertTrue(refused.getMessage().contains("changes the text encoder 3"), refused.getMessage());
        }
    }

    @Test
    void lengthsPerInputOfStackedLayersAreRefused() {
        String name = "lora_unet_double_blocks_0_img_attn_qkv";
        try (ModelFolder model = model(ModelFamily.FLUX_DEV)) {
            Shape shape = model.checkpoint(Component.DENOISER).weights().get("transformer_blocks.0.attn.to_q.weight")
                .shape();
            int width = (int) shape.dim(1);
            factor(name + ".lora_up.weight", 3 * (int) shape.dim(0), RANK);
            factor(name + ".lora_down.weight", RANK, width);
            factor(name + ".dora_scale", 1, width);
            try (OpenLoras open = adapter().open()) {
                ModelFolder merged = open.mergedInto(model);
                ModelException refused =
                    assertThrows(ModelException.class, () -> merged.checkpoint(Component.DENOISER));
                assertTrue(refused.getMessage().contains("a DoRA with lengths per input"), refused.getMessage());
            }
        }
    }
}
