package dev.slipstream.pipelines.model.lora;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.slipstream.pipelines.model.Checkpoint;
import dev.slipstream.pipelines.model.Component;
import dev.slipstream.pipelines.model.SafetensorsFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Weights after merging, as diffusers and PEFT compute them. */
class ReferenceAdaptersTest {
    private static final Path SHARED = Path.of("../../shared");

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({"lora_motion, expected.safetensors, motion_adapter, DENOISER",
        "lora_flux_kohya, expected_text_encoder.safetensors, clip_l, TEXT_ENCODER"})
    void changedWeightsAreTheReferences(String name, String truth, String base, Component component) {
        Path adapter = SHARED.resolve("reference-files").resolve(name);
        Assumptions.assumeTrue(Files.isDirectory(adapter));
        MergeStore store = new MergeStore(folder, Long.MAX_VALUE);
        Loras loras = Loras.NONE.storedIn(store).and(Lora.read(adapter.resolve("lora.safetensors")), 1);
        try (SafetensorsFile expected = SafetensorsFile.open(adapter.resolve(truth));
            OpenLoras open = loras.open()) {
            Checkpoint merged = open.open(component, SHARED.resolve("reference-components").resolve(base));
            assertFalse(expected.tensors().isEmpty());
            expected.tensors().forEach((tensor, value) ->
                assertArrayEquals(value.toFloats(), MergedWeights.values(merged.weights().get(tensor)), 1e-5f, tensor));
        }
    }
}
