package dev.slipstream.samples.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.ReferenceFiles;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import dev.slipstream.pipelines.model.weights.SafetensorsFile;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.terminal.ExitCode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RunCommandTest {
    @TempDir
    private Path folder;

    /** Old and new names of weights, with and without prefixes, in all float types, with and without options. */
    @ParameterizedTest
    @ValueSource(strings = {"clip_projection", "clip_bare", "vae_old", "vae_plain", "vae_single"})
    void checkpointsAgreeWithPyTorch(String name) {
        CommandRun run = ComponentFolders.check(ComponentFolders.committed(name), "2e-5");

        assertEquals(ExitCode.OK, run.code(), run.out() + run.err());
        assertFalse(run.out().contains("FAILED"), run.out());
    }

    @ParameterizedTest
    @ValueSource(strings = {"clip_l", "vae_sd", "unet_wide", "mmdit_sd3", "mmdit_sd35", "controlnet_sd3",
        "mmdit_sd3_controlled", "flux_dev", "pixart_sigma", "dit", "t5", "t5_masked", "vae_flux", "vae_svd",
        "vae_tiny",
        "clip_vision", "controlnet", "unet_controlled", "unet_svd", "unet_motion", "motion_base"})
    void theReferenceComponentsAgree(String name) {
        CommandRun run = ComponentFolders.check(ReferenceFiles.orSkip("reference-components", name), "1e-4");

        assertEquals(ExitCode.OK, run.code(), run.out() + run.err());
    }

    @Test
    void anAdapterIsJoinedWithItsBase() {
        Path adapter = ReferenceFiles.orSkip("reference-components", "motion_adapter");
        String base = ReferenceFiles.orSkip("reference-components", "motion_base").toString();
        String expected = adapter.resolve("expected.safetensors").toString();

        CommandRun joined = ComponentFolders.run(adapter, "--base", base, "--expect", expected);
        CommandRun alone = ComponentFolders.run(adapter, "--expect", expected);
        CommandRun twice = ComponentFolders.run(Path.of(base), "--base", base);

        assertEquals(ExitCode.OK, joined.code(), joined.out() + joined.err());
        assertTrue(alone.code() != ExitCode.OK && alone.err().contains("--base"), alone.err());
        assertTrue(twice.code() != ExitCode.OK && twice.err().contains("no adapter"), twice.err());
    }

    @Test
    void tensorsThatNoGraphUsesAreNamed() {
        CommandRun run = ComponentFolders.run(ComponentFolders.committed("clip_projection"));

        assertEquals("not used of the checkpoint: text_model.embeddings.position_ids", run.err().strip());
    }

    @Test
    void anOutputThatDiffersIsNamedWithTheLargestDifferenceAndWhereItIs() throws IOException {
        ComponentFolders.copy("vae_plain", folder);
        ComponentFolders.change(folder.resolve("expected.safetensors"), tensors -> {
            StoredTensor mean = tensors.get("encoded_mean");
            float[] values = mean.toFloats();
            values[7] += 0.5f;
            tensors.put("encoded_mean", StoredTensor.of(mean.shape(), values));
        });

        CommandRun run = ComponentFolders.check(folder, "1e-4");

        assertEquals(ExitCode.FAILED, run.code());
        String line = run.out().lines().filter(it -> it.startsWith("encoded_mean")).findFirst().orElseThrow();
        assertTrue(line.contains("5.00e-01") && line.contains("[0, 1, 0, 1]") && line.endsWith("FAILED"), line);
        assertTrue(run.out().contains("1 of 3 outputs differ by more than"), run.out());
    }

    @Test
    void aNumberThatIsNoneNeverAgrees() throws IOException {
        ComponentFolders.copy("vae_single", folder);
        ComponentFolders.change(folder.resolve("inputs.safetensors"), tensors -> {
            StoredTensor sample = tensors.get("sample");
            float[] values = sample.toFloats();
            values[0] = Float.NaN;
            tensors.put("sample", StoredTensor.of(sample.shape(), values));
        });

        CommandRun run = ComponentFolders.check(folder, "1e9");

        assertEquals(ExitCode.FAILED, run.code());
        assertTrue(run.out().contains("NaN"), run.out());
    }

    @Test
    void aDenoiserFromACheckpointTakesTimestepsBetweenWholeOnes() {
        ModelTemplate.of(ModelFamily.of("sd15"), true).write(folder);
        float before = prediction(500);
        float between = prediction(500.5f);
        float after = prediction(501);
        assertEquals((before + after) / 2, between, Math.abs(after - before) / 4);
        assertTrue(before != after, "the timestep must matter");
    }

    private float prediction(float timestep) {
        Path given = folder.resolve("inputs.safetensors");
        Path written = folder.resolve("out.safetensors");
        float[] sample = new float[4 * 8 * 8];
        Arrays.fill(sample, 1);
        SafetensorsWriter.write(given, Map.of("sample", StoredTensor.of(Shape.of(1, 4, 8, 8), sample),
            "timestep", StoredTensor.of(Shape.of(), timestep),
            "encoder_hidden_states", StoredTensor.of(Shape.of(1, 7, 32), new float[7 * 32])), Map.of());
        CommandRun run = CommandRun.of("run", folder.resolve("unet").toString(), "--inputs", given.toString(),
            "--output", written.toString());
        assertEquals(ExitCode.OK, run.code(), run.out() + run.err());
        try (SafetensorsFile file = SafetensorsFile.open(written)) {
            return file.tensor("out_sample").toFloats()[0];
        }
    }

    @Test
    void outputsAreWrittenAndAreThenWhatIsExpected() {
        Path written = folder.resolve("out.safetensors");
        Path component = ComponentFolders.committed("clip_projection");

        assertEquals(ExitCode.OK, ComponentFolders.run(component, "--output", written.toString()).code());
        CommandRun again = ComponentFolders.run(component, "--expect", written.toString(), "--tolerance", "0");

        assertEquals(ExitCode.OK, again.code(), again.out());
        try (SafetensorsFile file = SafetensorsFile.open(written)) {
            assertEquals(Set.of("last_hidden_state", "pooler_output", "text_embeds", "hidden_states.0",
                "hidden_states.1", "hidden_states.2", "penultimate_hidden_state"), file.tensors().keySet());
        }
    }

    @Test
    void partsOfAnAutoencoderRunOnlyWithTheirInput() throws IOException {
        ComponentFolders.copy("vae_single", folder);
        ComponentFolders.change(folder.resolve("inputs.safetensors"), tensors -> tensors.remove("sample"));

        CommandRun run = ComponentFolders.run(folder);
        CommandRun expecting = ComponentFolders.check(folder, "1");

        assertEquals(ExitCode.OK, run.code(), run.err());
        assertTrue(run.out().contains("decoded") && !run.out().contains("encoded_mean"), run.out());
        assertEquals(ExitCode.WRONG_USAGE, expecting.code());
        assertTrue(expecting.err().contains("output encoded_mean needs sample"), expecting.err());
    }

    @Test
    void graphsRunFromTheirFolderAndFromTheirFile() {
        Path inputs = folder.resolve("inputs.safetensors");
        SafetensorsWriter.write(inputs, Map.of("latent_sample",
            StoredTensor.of(Shape.of(1, 12, 16, 16), new float[12 * 16 * 16])), Map.of());
        Path decoder = CommandRun.MODEL.resolve("vae_decoder");

        CommandRun ofFolder = CommandRun.of("run", decoder.toString(), "--inputs", inputs.toString());
        CommandRun ofFile = CommandRun.of("run", decoder.resolve("model.onnx").toString(), "--inputs",
            inputs.toString());

        assertEquals(ExitCode.OK, ofFolder.code(), ofFolder.err());
        assertTrue(ofFolder.out().contains("[1, 3, 32, 32]"), ofFolder.out());
        assertEquals(ofFolder.out(), ofFile.out());
    }
}
