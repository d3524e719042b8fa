package dev.slipstream.samples.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.SafetensorsFile;
import dev.slipstream.pipelines.model.SafetensorsWriter;
import dev.slipstream.pipelines.model.StoredTensor;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
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
    @ValueSource(strings = {"clip_l", "vae_sd", "unet_wide"})
    void theReferenceComponentsAgree(String name) {
        Path wanted = Path.of("shared", "reference-components", name);
        Path found = Stream.iterate(Path.of("").toAbsolutePath(), Objects::nonNull, Path::getParent)
            .map(parent -> parent.resolve(wanted)).filter(Files::isDirectory).findFirst().orElse(null);
        assumeTrue(found != null, "there is no folder " + wanted + " beside this checkout");

        CommandRun run = ComponentFolders.check(found, "1e-4");

        assertEquals(ExitCode.OK, run.code(), run.out() + run.err());
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
