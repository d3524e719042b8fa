package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.noise.NoiseSchedulerException;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.plan.PlanException;
import dev.slipstream.pipelines.run.Program;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The sample model on paper. */
class PipelineDraftTest {
    private static final Path MODEL = Path.of("..", "samples", "model");
    private static final ImageRequest REQUEST = ImageRequest.of("a red star").withSteps(10);

    private static PipelineDraft draft(String plan, String... devices) {
        return DiffusionPipeline.of(MODEL).devices(devices).plan(plan).draft();
    }

    @Test
    void whatARequestLeavesOpenIsFilledInFromTheModel() {
        try (PipelineDraft draft = draft("sequential", "cpu:1")) {
            ImageRequest completed = draft.completed(REQUEST);
            assertEquals("ddim", completed.scheduler().orElseThrow());
            assertEquals(OptionalInt.of(32), completed.width());
            assertEquals(OptionalInt.of(32), completed.height());
            assertEquals(REQUEST.prompt(), completed.prompt());
            assertEquals(completed, draft.completed(completed));
            assertEquals("euler", draft.completed(REQUEST.withScheduler("euler")).scheduler().orElseThrow());
        }
    }

    @Test
    void devicesNeedNotBeThere() {
        try (PipelineDraft draft = draft("asyncdiff:warmup=2", "abacus:1", "abacus:2")) {
            Program program = draft.program(REQUEST);
            assertEquals(10, program.steps());
            assertTrue(program.copiedBytes() > 0);
        }
    }

    @Test
    void partsOfTheWorkAddUpToTheWhole() {
        try (PipelineDraft whole = draft("sequential", "cpu:1"); PipelineDraft parts = draft("sequential", "x", "y")) {
            Blueprint one = whole.blueprint(REQUEST);
            Blueprint two = parts.blueprint(REQUEST);
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
        try (PipelineDraft draft = draft("cfg-split", "cpu:1", "cpu:1")) {
            draft.check(REQUEST);
            assertThrows(NoiseSchedulerException.class, () -> draft.check(REQUEST.withScheduler("gaunt")));
            assertThrows(NoiseSchedulerException.class, () -> draft.check(REQUEST.withSteps(5000)));
            assertThrows(IllegalArgumentException.class, () -> draft.check(REQUEST.withSize(33, 32)));
            assertThrows(PlanException.class, () -> draft.check(REQUEST.withGuidance(1)));
        }
    }

    @Test
    void aFolderThatIsNoModelIsRefused() {
        assertThrows(ModelException.class, () -> DiffusionPipeline.of(Path.of("src")).draft());
    }
}
