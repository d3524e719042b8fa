package dev.slipstream.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.SafetensorsWriter;
import dev.slipstream.pipelines.model.StoredTensor;
import dev.slipstream.pipelines.model.lora.Loras;
import dev.slipstream.pipelines.model.lora.WeightedLora;
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

    private static Loras parse(String... args) {
        LoraOption option = new LoraOption();
        new CommandLine(CommandLine.Model.CommandSpec.create().addMixin("lora",
            CommandLine.Model.CommandSpec.forAnnotatedObject(option))).parseArgs(args);
        return option.loras();
    }

    @Test
    void filesMayHaveWeights() {
        Loras loras = parse("--lora", file.toString(), "--lora", file + ":0.5", "--lora", file + ":-2");
        assertEquals(List.of(1.0, 0.5, -2.0), loras.list().stream().map(WeightedLora::weight).toList());
        assertEquals(file, loras.list().getLast().lora().path());
    }

    @Test
    void whatIsNoWeightBelongsToTheName() {
        ModelException missing = assertThrows(ModelException.class, () -> parse("--lora", file + ":strong"));
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
