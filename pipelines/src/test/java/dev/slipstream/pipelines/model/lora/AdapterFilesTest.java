package dev.slipstream.pipelines.model.lora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import dev.slipstream.pipelines.model.weights.ComponentWeights;
import dev.slipstream.pipelines.model.weights.SafetensorsFile;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.pipelines.model.weights.WeightStore;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Adapters as people have them, merged into a tiny Stable Diffusion 1.5 with the same random weights every time. */
class AdapterFilesTest {
    private static final String BLOCK = "down_blocks.1.attentions.0.";
    private static final String ORIGINAL_BLOCK = "diffusion_model.input_blocks.4.1.";
    private static final String KOHYA_BLOCK = "lora_unet_down_blocks_1_attentions_0_";
    private static final String TEXT_LAYER = "text_model.encoder.layers.0.mlp.";

    @TempDir
    private Path folder;
    private OpenLoras open;

    @BeforeEach
    void model() {
        ModelTemplate.of(ModelFamily.SD15, true).write(folder.resolve("model"));
    }

    @AfterEach
    void close() {
        if (open != null) {
            open.close();
        }
    }

    private static Path resource(String name) {
        try {
            return Path.of(AdapterFilesTest.class.getResource(name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private Checkpoint merged(Lora lora, Component component, String sub) {
        open = Loras.NONE.storedIn(new WeightStore(folder.resolve("store"), Long.MAX_VALUE)).and(lora, 1).open();
        return open.open(component, folder.resolve("model").resolve(sub));
    }

    private static float[] values(Checkpoint checkpoint, String name) {
        return MergedWeights.values(checkpoint.weights().get(name));
    }

    private static void assertClose(float[] expected, float[] actual, String name) {
        assertEquals(expected.length, actual.length, name);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], 1e-5, name + ", element " + i);
        }
    }

    @ParameterizedTest
    @CsvSource({"dora.safetensors, dora_expected_weights.safetensors, 9",
        "loha.safetensors, loha_expected_weights.safetensors, 9",
        "peft, peft_expected_weights.safetensors, 8",
        "peft/adapter_model.safetensors, peft_expected_weights.safetensors, 8"})
    void weightsBecomeThoseOfTheReferenceImplementation(String adapter, String expected, int count) {
        Checkpoint merged = merged(Lora.read(resource(adapter)), Component.DENOISER, "unet");
        try (SafetensorsFile truth = SafetensorsFile.open(resource(expected));
            ComponentWeights base = ComponentWeights.open(folder.resolve("model/unet"))) {
            assertEquals(count, truth.tensors().size());
            truth.tensors().forEach((name, tensor) -> assertClose(tensor.toFloats(), values(merged, name), name));
            base.tensors().forEach((name, tensor) -> {
                if (!truth.tensors().containsKey(name)) {
                    assertClose(tensor.toFloats(), values(merged, name), name);
                }
            });
        }
    }

    /** W + alpha / rank · up · down, from what the file says under these names. */
    private static float[] sum(StoredTensor base, SafetensorsFile file, String module) {
        float[] down = file.tensor(module + ".lora_down.weight").toFloats();
        float[] up = file.tensor(module + ".lora_up.weight").toFloats();
        int rank = (int) file.tensor(module + ".lora_down.weight").shape().dim(0);
        int columns = down.length / rank;
        float[] sum = base.toFloats();
        for (int i = 0; i < sum.length; i++) {
            for (int r = 0; r < rank; r++) {
                sum[i] += 2f / rank * up[i / columns * rank + r] * down[r * columns + i % columns];
            }
        }
        return sum;
    }

    @ParameterizedTest
    @ValueSource(strings = {"alpha_int64.safetensors", "generic_names.safetensors"})
    void alphaOfAnyTypeAndGenericNamesGiveThePlainSum(String name) {
        boolean generic = name.startsWith("generic");
        Lora lora = Lora.read(resource(name));
        assertEquals(List.of(), lora.unknown());
        Checkpoint merged = merged(lora, Component.DENOISER, "unet");
        Map<String, String> layers = new LinkedHashMap<>();
        for (String layer : List.of("proj_in", "proj_out", "transformer_blocks.0.attn1.to_q",
            "transformer_blocks.0.attn2.to_out.0", "transformer_blocks.0.ff.net.0.proj")) {
            layers.put(BLOCK + layer, generic ? ORIGINAL_BLOCK + layer : KOHYA_BLOCK + layer.replace('.', '_'));
        }
        try (SafetensorsFile file = SafetensorsFile.open(resource(name));
            ComponentWeights base = ComponentWeights.open(folder.resolve("model/unet"))) {
            layers.forEach((module, spelled) -> {
                float[] expected = sum(base.tensor(module + ".weight"), file, spelled);
                assertClose(expected, values(merged, module + ".weight"), module);
            });
        }
    }

    @Test
    void genericNamesReachTheTextEncoder() {
        Checkpoint merged = merged(Lora.read(resource("generic_names.safetensors")), Component.TEXT_ENCODER,
            "text_encoder");
        try (SafetensorsFile file = SafetensorsFile.open(resource("generic_names.safetensors"));
            ComponentWeights base = ComponentWeights.open(folder.resolve("model/text_encoder"))) {
            for (String layer : List.of("fc1", "fc2")) {
                String stored = TEXT_LAYER + layer + ".weight";
                float[] before = base.tensor(stored).toFloats();
                assertClose(sum(base.tensor(stored), file,
                    "text_encoders.clip_l.transformer." + TEXT_LAYER + layer), values(merged, stored), layer);
                assertFalse(Arrays.equals(before, values(merged, stored)), layer);
            }
        }
    }
}
