package dev.slipstream.pipelines.model.lora;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.slipstream.pipelines.ReferenceFiles;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import dev.slipstream.pipelines.model.weights.SafetensorsFile;
import dev.slipstream.pipelines.model.weights.WeightStore;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Weights after merging, as diffusers and PEFT compute them. */
class ReferenceAdaptersTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({"lora_motion, expected.safetensors, motion_adapter, DENOISER",
        "lora_flux_kohya, expected_text_encoder.safetensors, clip_l, TEXT_ENCODER",
        "lora_flux_kohya, expected.safetensors, flux_dev, DENOISER",
        "lora_flux_peft, expected.safetensors, flux_dev, DENOISER",
        "lora_flux_peft_header, expected.safetensors, flux_dev, DENOISER",
        "lora_sd3_kohya, expected.safetensors, mmdit_sd3, DENOISER",
        "lora_sd3_peft, expected.safetensors, mmdit_sd3, DENOISER"})
    void changedWeightsAreTheReferences(String name, String truth, String base, Component component) {
        Path adapter = ReferenceFiles.orSkip("reference-files", name);
        Path original = ReferenceFiles.orSkip("reference-components", base);
        WeightStore store = new WeightStore(folder, Long.MAX_VALUE);
        Loras loras = Loras.NONE.storedIn(store).and(Lora.read(adapter.resolve("lora.safetensors")), 1);
        try (SafetensorsFile expected = SafetensorsFile.open(adapter.resolve(truth));
            OpenLoras open = loras.open()) {
            Checkpoint merged = open.open(component, original);
            assertFalse(expected.tensors().isEmpty());
            expected.tensors().forEach((tensor, value) ->
                assertArrayEquals(value.toFloats(), MergedWeights.values(merged.weights().get(tensor)), 1e-5f, tensor));
        }
    }
}
