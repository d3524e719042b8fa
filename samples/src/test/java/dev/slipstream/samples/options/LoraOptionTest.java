package dev.slipstream.samples.options;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.options.LoraOption.Given;
import dev.slipstream.samples.terminal.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class LoraOptionTest {
    @TempDir
    private Path folder;
    private Path file;

    @BeforeEach
    void lora() {
        file = folder.resolve("style.safetensors");
        SafetensorsWriter.write(file, Map.of("unet.conv_in.lora_A.weight", StoredTensor.of(Shape.of(1, 1), 1),
            "unet.conv_in.lora_B.weight", StoredTensor.of(Shape.of(1, 1), 1)), Map.of());
    }

    private static LoraOption parse(String... args) {
        LoraOption option = new LoraOption();
        new CommandLine(CommandLine.Model.CommandSpec.create().addMixin("lora",
            CommandLine.Model.CommandSpec.forAnnotatedObject(option))).parseArgs(args);
        return option;
    }

    @Test
    void filesMayHaveWeights() {
        assertEquals(List.of(new Given(file, 1), new Given(file, 0.5), new Given(file, -2)),
            parse("--lora", file.toString(), "--lora", file + ":0.5", "--lora", file + ":-2").given());
    }

    @Test
    void theFilesAreKnownWithoutTheirWeights() throws IOException {
        Path adapter = Files.createDirectory(folder.resolve("adapter"));
        Path inside = Files.copy(file, adapter.resolve("adapter_model.safetensors"));
        LoraOption option = CommandLine.populateCommand(new LoraOption(), "--lora", file + ":0.5", "--lora",
            adapter.toString());
        assertEquals(List.of(file, inside), option.files());
    }

    @Test
    void aNameMayEndLikeAWeight() throws IOException {
        Path named = Files.copy(file, folder.resolve("style.safetensors:2"));
        assertEquals(List.of(new Given(named, 1)), parse("--lora", named.toString()).given());
    }

    @Test
    void whatIsNoWeightBelongsToTheName() {
        ModelException missing = assertThrows(ModelException.class,
            () -> parse("--lora", file + ":strong").apply(DiffusionPipeline.of(CommandRun.MODEL)));
        assertTrue(missing.getMessage().endsWith("style.safetensors:strong"), missing.getMessage());
    }

    @Test
    void aModelWithoutCheckpointsRefusesLoras() {
        CommandRun run = CommandRun.of("generate", "a star", "--model", CommandRun.MODEL.toString(), "--lora",
            file.toString(), "--output", folder.resolve("a.png").toString());
        assertEquals(ExitCode.WRONG_USAGE, run.code());
        assertTrue(run.err().contains("which this model does not have as a checkpoint"), run.err());
    }
}
