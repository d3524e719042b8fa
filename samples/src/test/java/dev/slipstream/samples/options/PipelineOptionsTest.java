package dev.slipstream.samples.options;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.PipelineSpec;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.terminal.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class PipelineOptionsTest {
    private static final String MODEL = CommandRun.MODEL.toString();

    @TempDir
    private Path folder;

    private static PipelineOptions of(String... args) {
        List<String> all = new ArrayList<>(List.of("--model", MODEL));
        all.addAll(List.of(args));
        return CommandLine.populateCommand(new PipelineOptions(), all.toArray(String[]::new));
    }

    @Test
    void planDevicesAndPrecisionAreThoseOfThePipeline() {
        PipelineOptions options = of("--plan", "cfg-split", "--devices", "2", "--precision", "fp16");
        assertEquals(List.of("cpu:1", "cpu:1"), options.devices());
        try (PipelineSpec spec = options.pipeline().spec()) {
            assertEquals("cfg-split", spec.plan(ImageRequest.of("")).strategy());
            assertEquals(DataType.FLOAT16, spec.precision());
            assertTrue(spec.refiner().isEmpty());
        }
    }

    @Test
    void theRefinerTakesOverWhereItIsTold() {
        for (String handover : List.of("0.5", "0.25")) {
            try (PipelineSpec spec = of("--refiner", MODEL, "--handover", handover).pipeline().spec()) {
                int steps = ImageRequest.DEFAULT_STEPS;
                assertEquals((int) Math.round(steps * Double.parseDouble(handover)),
                    spec.unwrap(ImageRequest.of(""), Program.class).steps());
                assertTrue(spec.refiner().isPresent());
            }
        }
    }

    @Test
    void aHandoverWithoutRefinerIsRefused() {
        assertEquals("--handover says where a refiner takes over; name one with --refiner DIR",
            assertThrows(InputException.class, () -> of("--handover", "0.5").pipeline()).getMessage());
    }

    @Test
    void theFilesAreThoseOfBothModels() throws IOException {
        Path graph = Files.writeString(Files.createDirectory(folder.resolve("unet")).resolve("model.onnx"), "");
        List<Path> alone = of().files();
        assertTrue(alone.contains(CommandRun.MODEL.resolve("unet").resolve("model.onnx")), alone.toString());
        List<Path> both = of("--refiner", folder.toString()).files();
        assertEquals(alone.size() + 1, both.size());
        assertTrue(Set.copyOf(both).containsAll(alone) && both.contains(graph), both.toString());
    }

    @Test
    void withoutAModelItIsTheSampleModelBesideTheLauncher() {
        assertEquals(Path.of("samples", "model"), new ModelOptions().path());
    }

    @Test
    void aComponentHasOneOfTwoForms() throws Exception {
        ComponentFormatConverter converter = new ComponentFormatConverter();
        assertEquals("ONNX", converter.convert("onnx").name());
        assertEquals("CHECKPOINT", converter.convert("checkpoint").name());
        assertEquals("must be one of [onnx, checkpoint], not 'ONNX'",
            assertThrows(CommandLine.TypeConversionException.class, () -> converter.convert("ONNX")).getMessage());
    }
}
