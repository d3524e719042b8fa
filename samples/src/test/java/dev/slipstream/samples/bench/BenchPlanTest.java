package dev.slipstream.samples.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.PipelineSpec;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.samples.terminal.InputException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class BenchPlanTest {
    private static PartitionedDenoiser sequential;

    @BeforeAll
    static void draw() {
        try (PipelineSpec spec = DiffusionPipeline.of(Path.of("model")).devices("cpu:1").spec()) {
            sequential = spec.unwrap(ImageRequest.of(""), PartitionedDenoiser.class);
        }
    }

    private static List<String> labels(List<BenchPlan> plans) {
        return plans.stream().map(BenchPlan::label).toList();
    }

    @Test
    void oneDeviceTakesOnlyTheSequentialPlan() {
        assertEquals(List.of("sequential", "cache e2", "cache e3", "cache e5", "cache e3 d0",
            "cache all e4", "cache all e4, guidance e8", "sequential, direct"),
            labels(BenchPlan.on(List.of("cuda:0"), sequential)));
        assertEquals(List.of("sequential", "cache e2", "cache e3", "cache e5", "cache e3 d0",
            "cache all e4", "cache all e4, guidance e8"),
            labels(BenchPlan.on(List.of("cpu:2"), sequential)));
    }

    @Test
    void plansForMoreDevicesThanThereAreAreLeftOut() {
        List<BenchPlan> two = BenchPlan.on(List.of("cuda:0", "cuda:1"), sequential);
        List<BenchPlan> three = BenchPlan.on(List.of("cuda:0", "cuda:1", "cuda:0"), sequential);
        assertTrue(two.stream().allMatch(plan -> plan.devices().size() <= 2));
        assertTrue(labels(two).contains("cfg-split") && labels(two).contains("shell w1"));
        assertFalse(labels(two).contains("shell w1 s2 paper"));
        assertTrue(labels(three).contains("shell w1 s2 paper"));
    }

    @Test
    void theMainPlansComeOnceMoreWithoutReplayWhereDevicesReplay() {
        List<BenchPlan> plans = BenchPlan.on(List.of("cuda:0", "cuda:0"), sequential);
        assertEquals(List.of("sequential, direct", "cfg-split, direct", "shell w1, direct", "contiguous w1, direct"),
            labels(plans.stream().filter(plan -> !plan.replayed()).toList()));
        assertTrue(BenchPlan.onThreads(sequential, 2).stream().allMatch(BenchPlan::replayed));
    }

    @Test
    void plansThatAreNamedAreComparedWithTheExactOne() {
        List<BenchPlan> plans = BenchPlan.compared(List.of("cache:every=2", "cfg-split+cache"), null);
        assertEquals(List.of("sequential", "cache:every=2", "cfg-split+cache"), labels(plans));
        assertEquals(List.of(1, 1, 2), plans.stream().map(plan -> plan.devices().size()).toList());
        assertEquals(2, BenchPlan.compared(List.of("auto"), null).getLast().devices().size());
        assertEquals(3, BenchPlan.compared(List.of("auto"), List.of("cpu:1", "cpu:1", "cpu:1")).getLast().devices()
            .size());
        assertEquals(List.of("cpu:2"), BenchPlan.compared(List.of("cache"), List.of("cpu:2")).getLast().devices());
        assertThrows(InputException.class, () -> BenchPlan.compared(List.of("cfg-split"), List.of("cpu:1")));
        assertThrows(InputException.class, () -> BenchPlan.compared(List.of("cache", "cache"), null));
    }

    @Test
    void onlyPlansOnCpusRunInOnnxRuntime() {
        assertTrue(BenchPlan.onThreads(sequential, 2).stream().allMatch(BenchPlan::isOnCpus));
        assertFalse(BenchPlan.on(List.of("cuda:0"), sequential).getFirst().isOnCpus());
    }
}
