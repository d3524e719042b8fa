package dev.slipstream.pipelines.model.original;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.folder.ComponentFormat;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import dev.slipstream.pipelines.model.weights.CheckpointTensors;
import dev.slipstream.pipelines.model.weights.ComponentWeights;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** AnimateDiff's motion modules as they were published: one file, under the names of the original implementation. */
class MotionAdapterFileTest {
    @TempDir
    private Path folder;
    private Path adapter;
    private Path still;

    @BeforeEach
    void write() {
        ModelTemplate.of(ModelFamily.ANIMATEDIFF, true).write(folder.resolve("moving"));
        adapter = folder.resolve("moving").resolve("motion_adapter");
        still = folder.resolve("still");
        ModelTemplate.of(ModelFamily.SD15, true).write(still);
    }

    private static String original(String name) {
        return name.replaceFirst("(motion_modules\\.\\d+\\.)", "$1temporal_transformer.")
            .replace("pos_embed.pe", "attention_blocks.0.pos_encoder.pe").replace("attn1", "attention_blocks.0")
            .replace("attn2", "attention_blocks.1").replace("norm1", "norms.0").replace("norm2", "norms.1")
            .replace("norm3", "ff_norm");
    }

    private static Map<String, StoredTensor> originals(Path adapter, String prefix) {
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        try (ComponentWeights weights = ComponentWeights.open(adapter)) {
            weights.tensors().forEach((name, tensor) -> {
                StoredTensor kept = StoredTensor.of(tensor.shape(), tensor.toFloats());
                tensors.put(prefix + original(name), kept);
                if (name.endsWith(".pe")) {
                    tensors.put(prefix + original(name).replace("blocks.0.pos", "blocks.1.pos"), kept);
                }
            });
        }
        return tensors;
    }

    private Path file(Map<String, StoredTensor> tensors) {
        Path file = folder.resolve("mm.safetensors");
        SafetensorsWriter.write(file, tensors, Map.of());
        return file;
    }

    private static void assertSame(Checkpoint expected, Checkpoint actual) {
        assertEquals(new TreeSet<>(expected.weights().keySet()), new TreeSet<>(actual.weights().keySet()));
        try (CheckpointTensors wanted = new CheckpointTensors(expected);
            CheckpointTensors found = new CheckpointTensors(actual)) {
            expected.weights().keySet().forEach(name ->
                assertArrayEquals(wanted.tensor(name).toFloats(), found.tensor(name).toFloats(), name));
        }
    }

    @ParameterizedTest
    @CsvSource({"''", "module."})
    void itHasTheTensorsOfTheAdaptersFolderAndTellsItsSizes(String prefix) {
        Path file = file(originals(adapter, prefix));
        try (ModelFolder lent = ModelSource.of(still).withMotionAdapter(file).open();
            ModelFolder own = ModelSource.of(still).withMotionAdapter(adapter).open()) {
            assertSame(own.checkpoint(Component.DENOISER), lent.checkpoint(Component.DENOISER));
            JsonObject known = own.motionAdapter().orElseThrow().config().root();
            JsonObject told = lent.motionAdapter().orElseThrow().config().root();
            assertEquals(known.get("block_out_channels"), told.get("block_out_channels"));
            assertEquals(known.get("motion_max_seq_length"), told.get("motion_max_seq_length"));
            assertEquals(known.get("use_motion_mid_block"), told.get("use_motion_mid_block"));
            int layers = known.get("motion_layers_per_block").getAsInt();
            told.getAsJsonArray("motion_layers_per_block").forEach(it -> assertEquals(layers, it.getAsInt()));
            assertEquals(8, told.get("motion_num_attention_heads").getAsInt());
        }
    }

    @Test
    void theConfigurationBesideItCounts() throws IOException {
        Path file = file(originals(adapter, ""));
        Files.copy(adapter.resolve("config.json"), folder.resolve("config.json"));
        try (ModelFolder lent = ModelSource.of(still).withMotionAdapter(file).open();
            ModelFolder own = ModelSource.of(still).withMotionAdapter(adapter).open()) {
            assertEquals(own.motionAdapter().orElseThrow().config().root(),
                lent.motionAdapter().orElseThrow().config().root());
            assertEquals(DenoiserGraph.read(own, ComponentFormat.CHECKPOINT).graph().nodes(),
                DenoiserGraph.read(lent, ComponentFormat.CHECKPOINT).graph().nodes());
        }
    }

    @Test
    void aFileWithOneInDiffusersNamesIsOneToo() {
        try (ModelFolder lent = ModelSource.of(still)
                .withMotionAdapter(adapter.resolve("diffusion_pytorch_model.safetensors")).open();
            ModelFolder own = ModelSource.of(still).withMotionAdapter(adapter).open()) {
            assertSame(own.checkpoint(Component.DENOISER), lent.checkpoint(Component.DENOISER));
        }
    }

    @Test
    void itIsJoinedWithADenoiserThatLiesInAFileToo() {
        Path file = file(originals(adapter, ""));
        Path denoiser = still.resolve("unet").resolve("diffusion_pytorch_model.safetensors");
        try (ModelFolder lent = ModelSource.of(denoiser).withConfig(still).withMotionAdapter(file).open();
            ModelFolder own = ModelSource.of(still).withMotionAdapter(file).open()) {
            assertSame(own.checkpoint(Component.DENOISER), lent.checkpoint(Component.DENOISER));
            assertEquals(own.noiseScheduler().root(), lent.noiseScheduler().root());
            assertEquals(DenoiserGraph.read(own, ComponentFormat.CHECKPOINT).graph().nodes(),
                DenoiserGraph.read(lent, ComponentFormat.CHECKPOINT).graph().nodes());
        }
    }

    @Test
    void aFileOfSomethingElseIsRefusedByWhatItHas() {
        ModelException refused = assertThrows(ModelException.class, () -> ModelSource.of(still)
            .withMotionAdapter(still.resolve("unet").resolve("diffusion_pytorch_model.safetensors")).open());
        assertTrue(refused.getMessage().contains("is no file of a motion adapter alone; it has unet"),
            refused.getMessage());
    }
}
