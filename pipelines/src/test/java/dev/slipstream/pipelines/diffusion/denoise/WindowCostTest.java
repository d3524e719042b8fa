package dev.slipstream.pipelines.diffusion.denoise;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.PipelineSpec;
import dev.slipstream.pipelines.run.program.Program;
import java.nio.file.Path;
import java.util.Collections;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WindowCostTest {
    private static double cost(String plan, int devices, int steps) {
        try (PipelineSpec paper = DiffusionPipeline.of(Path.of("..", "samples", "model")).plan(plan)
            .devices(Collections.nCopies(devices, "cpu:1").toArray(String[]::new)).spec()) {
            ImageRequest request = ImageRequest.of("a large red star").withSteps(steps);
            return WindowCost.of(paper.unwrap(request, PartitionedDenoiser.class),
                paper.unwrap(request, Program.class));
        }
    }

    /** Devices are not busy all of the time, so a step costs more than its share of them, and less than a whole one. */
    @ParameterizedTest
    @CsvSource({"asyncdiff:n=2, 2", "asyncdiff:n=3, 3", "asyncdiff:warmup=3, 2", "cfg-split+asyncdiff:n=2, 4"})
    void aStepOfTheWindowCostsMoreThanItsShareOfTheDevices(String plan, int devices) {
        int parts = plan.startsWith("cfg-split") ? devices / 2 : devices;
        double cost = cost(plan, devices, 20);
        assertTrue(cost > 1.0 / parts && cost < 1, () -> plan + " costs " + cost);
    }

    @Test
    void withStrideTwoItIsAboutHalf() {
        assertEquals(cost("asyncdiff:n=2", 2, 20) / 2, cost("asyncdiff:n=2,stride=2", 2, 20), 0.15);
    }

    @Test
    void withoutAWindowEachStepIsAWholeOne() {
        assertEquals(1, cost("cfg-split", 2, 20));
        assertEquals(1, cost("asyncdiff:warmup=5", 2, 5));
    }
}
