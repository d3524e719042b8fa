package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.pipelines.diffusion.denoise.Denoiser;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.plan.Cache;
import dev.slipstream.pipelines.plan.CfgSplit;
import dev.slipstream.pipelines.plan.Rounds;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.LoopObserver;
import dev.slipstream.pipelines.run.program.Decision.Outcome;
import dev.slipstream.pipelines.run.timeline.Timeline.Activity;
import dev.slipstream.pipelines.run.timeline.Timeline.Span;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Loops that decide at each step whether the blocks behind the first one run, on CPU devices. */
class DecidedLoopTest {
    private static final int STEPS = TinyDenoiser.STEPS;
    private static final double THRESHOLD = 0.2;

    /** What a loop made, and what it decided. */
    private record Ran(float[] latents, Map<String, List<Outcome>> outcomes) {
        private List<Integer> computed(String stage) {
            List<Integer> computed = new ArrayList<>(IntStream.range(0, STEPS).boxed().toList());
            outcomes.get(stage).stream().filter(outcome -> !outcome.runs()).map(Outcome::step)
                .forEach(computed::remove);
            return computed;
        }
    }

    private static Cache cache(double threshold, int slip) {
        return Cache.usual().withWarmUp(1).decidedBy(threshold, slip);
    }

    private static Ran run(Strategy strategy) {
        return run(strategy, 1).getFirst();
    }

    private static List<Ran> run(Strategy strategy, int times) {
        int count = strategy.usualDevices();
        List<Device> devices = Devices.discover().open(Collections.nCopies(count, DeviceSpec.parse("cpu:1")));
        PartitionedDenoiser partitioned = PartitionedDenoiser.of(TinyDenoiser.blocks(),
            TinyDenoiser.partitioned("sequential", 1).shape(), strategy, count);
        try (Denoiser denoiser = Denoiser.build(partitioned, devices);
             Execution execution = denoiser.prepare(TinyDenoiser.noise(), TinyDenoiser.GUIDANCE, true, false)) {
            List<Ran> all = new ArrayList<>();
            for (int i = 0; i < times; i++) {
                all.add(new Ran(TinyDenoiser.run(execution, LoopObserver.NONE), execution.outcomes()));
            }
            return all;
        } finally {
            devices.reversed().forEach(Device::close);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void withoutAThresholdAllRunsAndTheLatentsAreExact(int slip) {
        float[] exact = run(Strategy.parse("sequential")).latents();
        assertArrayEquals(exact, run(cache(0, slip)).latents());
        assertArrayEquals(exact, run(new CfgSplit().with(cache(0, slip))).latents());
    }

    @Test
    void aThresholdThatNothingReachesLetsThePartRestToTheEnd() {
        Ran ran = run(cache(Double.MAX_VALUE, 0));
        assertEquals(List.of(0), ran.computed("c1"));
        assertEquals(List.of(1, 2, 3, 4, 5), ran.outcomes().get("c1").stream().map(Outcome::step).toList());
        assertEquals(List.of(0, 1), run(cache(Double.MAX_VALUE, 1)).computed("c1"), "the first step is not decided");
    }

    /** The published rule, worked out from a loop that knew the steps before. */
    @Test
    void itRunsWhereTheNumberIsAboveTheThreshold() {
        Ran ran = run(cache(THRESHOLD, 0));
        List<Integer> computed = ran.computed("c1");
        assertTrue(computed.size() > 1 && computed.size() < STEPS, () -> "not both outcomes: " + ran.outcomes());
        ran.outcomes().get("c1").forEach(outcome -> assertEquals(outcome.measure() > THRESHOLD, outcome.runs()));
        Ran known = run(Cache.usual().withWarmUp(1).with(new Rounds.At(new TreeSet<>(computed))));
        assertArrayEquals(known.latents(), ran.latents(), 1e-6f);
    }

    @Test
    void aDecisionThatIsAStepLateIsMadeByTheNumberOfTheStepBefore() {
        Ran now = run(cache(THRESHOLD, 0));
        Ran late = run(cache(THRESHOLD, 1));
        assertEquals(now.outcomes().get("c1").getFirst().measure(), late.outcomes().get("c1").getFirst().measure());
        assertEquals(1, now.outcomes().get("c1").getFirst().step());
        assertEquals(2, late.outcomes().get("c1").getFirst().step());
    }

    @Test
    void eachBranchDecidesByItself() {
        Ran ran = run(new CfgSplit().with(cache(THRESHOLD, 0)));
        assertEquals(List.of("c1-", "c1+"), List.copyOf(ran.outcomes().keySet()));
        assertFalse(ran.outcomes().get("c1-").equals(ran.outcomes().get("c1+")));
    }

    @ParameterizedTest
    @CsvSource({"0, false", "1, false", "0, true", "1, true"})
    void theSameRequestDecidesTheSameWayEveryTime(int slip, boolean split) {
        Cache cache = cache(THRESHOLD, slip);
        List<Ran> all = run(split ? new CfgSplit().with(cache) : cache, 3);
        for (Ran ran : all) {
            assertArrayEquals(all.getFirst().latents(), ran.latents());
            assertEquals(all.getFirst().outcomes(), ran.outcomes());
        }
    }

    /** What was left out took no time, in a second run as well, though its probes are those of the first. */
    @Test
    void timelinesHaveWhatRan() {
        List<Device> devices = Devices.discover().open(List.of(DeviceSpec.parse("cpu:1")));
        try (Denoiser denoiser = Denoiser.build(TinyDenoiser.partitioned(cache(THRESHOLD, 0).spec(), 1), devices);
             Execution execution = denoiser.prepare(TinyDenoiser.noise(), TinyDenoiser.GUIDANCE, false, true)) {
            for (int run = 0; run < 2; run++) {
                TinyDenoiser.run(execution, LoopObserver.NONE);
                List<Integer> steps = TinyDenoiser.stages(execution.timeline()).stream()
                    .filter(span -> execution.timeline().stages().get(1).equals("c1") && isOf(span, 1))
                    .map(Span::step).toList();
                List<Integer> left = execution.outcomes().get("c1").stream().filter(outcome -> !outcome.runs())
                    .map(Outcome::step).toList();
                assertFalse(left.isEmpty());
                assertEquals(STEPS - left.size(), steps.size());
                assertTrue(Collections.disjoint(left, steps));
            }
        } finally {
            devices.reversed().forEach(Device::close);
        }
    }

    private static boolean isOf(Span span, int stage) {
        return span.activity() instanceof Activity.Stage it
            && it.stage() == stage;
    }
}
