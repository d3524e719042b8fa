package dev.slipstream.pipelines.model.lora;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import dev.slipstream.pipelines.model.original.ModelSource;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.pipelines.model.weights.WeightStore;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** LoRAs of AnimateDiff's motion modules, merged into an adapter and the U-Net that it is joined with. */
class MotionLoraTest {
    private static final String MODULE = "up_blocks.0.motion_modules.0.";
    private static final String LAYER = MODULE + "transformer_blocks.0.attn2.to_out.0.weight";
    private static final int RANK = 2;

    @TempDir
    private Path folder;
    private StoredTensor down;
    private StoredTensor up;

    private Loras lora(Path model, String layer, String ofDown, String ofUp) {
        int width;
        try (ModelFolder plain = ModelFolder.open(model)) {
            width = (int) plain.checkpoint(Component.DENOISER).weights().get(LAYER).shape().dim(0);
        }
        Random random = new Random(5);
        down = MergedWeights.random(random, RANK, width);
        up = MergedWeights.random(random, width, RANK);
        return loras(Map.of(layer + ofDown, down, layer + ofUp, up));
    }

    private Loras loras(Map<String, StoredTensor> tensors) {
        Path file = folder.resolve("zoom.safetensors");
        SafetensorsWriter.write(file, new LinkedHashMap<>(tensors), Map.of());
        return Loras.NONE.storedIn(new WeightStore(folder.resolve("store"), Long.MAX_VALUE)).and(Lora.read(file), 0.5);
    }

    private Path written(ModelFamily family, String name) {
        ModelTemplate.of(family, true).write(folder.resolve(name));
        return folder.resolve(name);
    }

    private static float[] values(ModelFolder model, Loras loras, String tensor) {
        try (OpenLoras open = loras.open()) {
            Checkpoint merged = open.mergedInto(model).checkpoint(Component.DENOISER);
            return MergedWeights.values(merged.weights().get(tensor));
        }
    }

    private float[] byHand(float[] weight) {
        float[] changed = weight.clone();
        int width = (int) up.shape().dim(0);
        for (int row = 0; row < width; row++) {
            for (int column = 0; column < width; column++) {
                for (int r = 0; r < RANK; r++) {
                    changed[row * width + column] +=
                        0.5f * up.toFloats()[row * RANK + r] * down.toFloats()[r * width + column];
                }
            }
        }
        return changed;
    }

    @ParameterizedTest
    @CsvSource({"unet.up_blocks.0.motion_modules.0.transformer_blocks.0.attn2.processor.to_out_lora, .down.weight, "
            + ".up.weight",
        "unet.up_blocks.0.motion_modules.0.transformer_blocks.0.attn2.to_out.0, .lora_A.weight, .lora_B.weight",
        "base_model.model.up_blocks.0.motion_modules.0.transformer_blocks.0.attn2.to_out.0, .lora_A.default.weight, "
            + ".lora_B.default.weight",
        "up_blocks.0.motion_modules.0.temporal_transformer.transformer_blocks.0.attention_blocks.1.processor"
            + ".to_out_lora, .down.weight, .up.weight",
        "module.up_blocks.0.motion_modules.0.temporal_transformer.transformer_blocks.0.attention_blocks.1.processor"
            + ".to_out_lora, .down.weight, .up.weight"})
    void itIsMergedWhateverItsNamesAre(String layer, String ofDown, String ofUp) {
        Path moving = written(ModelFamily.ANIMATEDIFF, "moving");
        Loras loras = lora(moving, layer, ofDown, ofUp);
        try (ModelFolder model = ModelFolder.open(moving)) {
            float[] plain = values(model, Loras.NONE, LAYER);
            float[] changed = values(model, loras, LAYER);
            assertArrayEquals(byHand(plain), changed, 1e-6f);
            String other = LAYER.replace("attn2", "attn1");
            assertArrayEquals(values(model, Loras.NONE, other), values(model, loras, other));
        }
    }

    @Test
    void itChangesAnAdapterThatIsGivenBesideTheModel() {
        Path moving = written(ModelFamily.ANIMATEDIFF, "moving");
        Path still = written(ModelFamily.SD15, "still");
        Loras loras = lora(moving, "unet." + MODULE + "transformer_blocks.0.attn2.to_out.0", ".lora_A.weight",
            ".lora_B.weight");
        try (ModelFolder model = ModelSource.of(still).withMotionAdapter(moving.resolve("motion_adapter")).open()) {
            assertArrayEquals(byHand(values(model, Loras.NONE, LAYER)), values(model, loras, LAYER), 1e-6f);
        }
    }

    @Test
    void withoutMotionModulesItIsRefusedByTheNameOfALayer() {
        Path still = written(ModelFamily.SD15, "still");
        String layer = "down_blocks.0.motion_modules.0.temporal_transformer.proj_in";
        Loras loras = loras(Map.of(layer + ".lora_A.weight", MergedWeights.ones(RANK, 4),
            layer + ".lora_B.weight", MergedWeights.ones(4, RANK)));
        try (ModelFolder model = ModelFolder.open(still)) {
            ModelException refused = assertThrows(ModelException.class, () -> values(model, loras, LAYER));
            assertTrue(refused.getMessage().contains("does not have: " + layer), refused.getMessage());
        }
    }
}
