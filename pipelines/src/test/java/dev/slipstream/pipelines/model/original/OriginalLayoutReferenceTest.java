package dev.slipstream.pipelines.model.original;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.pipelines.ReferenceFiles;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import dev.slipstream.pipelines.model.weights.CheckpointTensors;
import dev.slipstream.pipelines.model.weights.ComponentWeights;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.pipelines.model.weights.TensorFile;
import dev.slipstream.pipelines.model.weights.WeightStore;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files in the original layout have the tensors of diffusers' folder, name for name and bit for bit. */
class OriginalLayoutReferenceTest {
    @TempDir
    private Path store;

    @ParameterizedTest
    @CsvSource({"sd15,sd15.safetensors", "sdxl,sdxl.safetensors", "sd3_medium,sd3_medium.safetensors",
        "flux_dev,flux_dev.safetensors", "vae_sdxl,vae_sdxl.safetensors"})
    void aFileHasTheTensorsOfTheFolder(String folder, String name) {
        Path home = ReferenceFiles.orSkip("reference-files", folder);
        Path diffusers = home.resolve("diffusers");
        try (TensorFile file = TensorFile.open(home.resolve(name))) {
            OriginalLayout layout = OriginalLayout.of(file);
            assertEquals(List.of(), layout.unknown());
            layout.modules().forEach((part, module) -> {
                Path component = Files.isDirectory(diffusers.resolve(part)) ? diffusers.resolve(part) : diffusers;
                Checkpoint checkpoint = module.weights().open(new WeightStore(store, Long.MAX_VALUE)).checkpoint();
                try (ComponentWeights expected = ComponentWeights.open(component);
                    CheckpointTensors tensors = new CheckpointTensors(checkpoint)) {
                    assertEquals(new TreeSet<>(expected.tensors().keySet()), new TreeSet<>(checkpoint.weights()
                        .keySet()), part);
                    expected.tensors().forEach((tensor, wanted) -> assertSame(part + "." + tensor, wanted,
                        tensors.tensor(tensor)));
                }
            });
            if (Files.exists(diffusers.resolve("model_index.json"))) {
                assertEquals(parts(diffusers), new TreeSet<>(layout.modules().keySet()));
            }
        }
    }

    private static TreeSet<String> parts(Path model) {
        TreeSet<String> parts = new TreeSet<>();
        for (String part : List.of("text_encoder", "text_encoder_2", "text_encoder_3", "unet", "transformer", "vae")) {
            if (Files.isDirectory(model.resolve(part))) {
                parts.add(part);
            }
        }
        return parts;
    }

    private static void assertSame(String name, StoredTensor expected, StoredTensor actual) {
        assertEquals(expected.type(), actual.type(), name);
        assertEquals(expected.shape(), actual.shape(), name);
        assertArrayEquals(expected.data().toArray(ValueLayout.JAVA_BYTE), actual.data().toArray(ValueLayout.JAVA_BYTE),
            name);
    }
}
