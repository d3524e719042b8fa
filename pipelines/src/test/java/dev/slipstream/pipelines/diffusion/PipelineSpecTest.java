package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.SlipstreamException;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.diffusion.noise.config.NoiseSchedulerException;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.RequestException;
import dev.slipstream.pipelines.model.folder.RandomModel;
import dev.slipstream.pipelines.plan.PlanException;
import dev.slipstream.pipelines.run.program.Program;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The sample model on paper. */
class PipelineSpecTest {
    private static final Path MODEL = Path.of("..", "samples", "model");
    private static final ImageRequest REQUEST = ImageRequest.of("a red star").withSteps(10);

    private static PipelineSpec spec(String plan, String... devices) {
        return DiffusionPipeline.of(MODEL).devices(devices).plan(plan).spec();
    }

    @Test
    void whatARequestLeavesOpenIsFilledInFromTheModel() {
        try (PipelineSpec spec = spec("sequential", "cpu:1")) {
            ImageRequest completed = spec.completed(REQUEST);
            assertEquals("ddim", completed.scheduler().orElseThrow());
            assertEquals(OptionalInt.of(32), completed.width());
            assertEquals(OptionalInt.of(32), completed.height());
            assertEquals(REQUEST.prompt(), completed.prompt());
            assertEquals(completed, spec.completed(completed));
            assertEquals("euler", spec.completed(REQUEST.withScheduler("euler")).scheduler().orElseThrow());
        }
    }

    @Test
    void devicesNeedNotBeThere() {
        try (PipelineSpec spec = spec("asyncdiff:warmup=2", "abacus:1", "abacus:2")) {
            Program program = spec.program(REQUEST);
            assertEquals(10, program.steps());
            assertTrue(program.copiedBytes() > 0);
        }
    }

    @Test
    void partsOfTheWorkAddUpToTheWhole() {
        try (PipelineSpec whole = spec("sequential", "cpu:1"); PipelineSpec parts = spec("sequential", "x", "y")) {
            PartitionedDenoiser one = whole.denoiser(REQUEST);
            PartitionedDenoiser two = parts.denoiser(REQUEST);
            double sum = IntStream.range(0, two.plan().stages().size()).mapToDouble(two::multiplyAccumulates).sum();
            // What does not depend on the latents is computed in both parts.
            assertTrue(sum >= one.multiplyAccumulates(0), sum + " is less than the whole");
            assertTrue(sum < 1.2 * one.multiplyAccumulates(0), sum + " is much more than the whole");
            long weights = IntStream.range(0, two.plan().stages().size()).mapToLong(two::segmentWeightBytes).sum();
            assertEquals(two.weightBytes(0) + two.weightBytes(1), weights);
            assertTrue(weights >= one.segmentWeightBytes(0));
        }
    }

    @Test
    void aRequestThatFitsPassesTheCheckAndOthersAreRefusedByWhatIsWrong() {
        try (PipelineSpec spec = spec("cfg-split", "cpu:1", "cpu:1")) {
            spec.check(REQUEST);
            assertThrows(NoiseSchedulerException.class, () -> spec.check(REQUEST.withScheduler("gaunt")));
            assertThrows(NoiseSchedulerException.class, () -> spec.check(REQUEST.withSteps(5000)));
            assertThrows(RequestException.class, () -> spec.check(REQUEST.withSize(33, 32)));
            assertThrows(PlanException.class, () -> spec.check(REQUEST.withGuidance(1)));
        }
    }

    @Test
    void aModelWhoseOwnSizeNoMemoryHoldsIsRefused(@TempDir Path folder) throws IOException {
        RandomModel.write(folder, RandomModel.Family.SDXL);
        Path config = folder.resolve("unet/config.json");
        Files.writeString(config, Files.readString(config)
            .replaceFirst("\"sample_size\":\\s*\\d+", "\"sample_size\":1000000"));
        try (PipelineSpec spec = DiffusionPipeline.of(folder).devices("cpu:1").spec()) {
            assertThrows(SlipstreamException.class, () -> spec.plan(REQUEST));
        }
    }

    @Test
    void aFolderThatIsNoModelIsRefused() {
        assertThrows(ModelException.class, () -> DiffusionPipeline.of(Path.of("src")).spec());
    }
}
