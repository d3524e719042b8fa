package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.pipelines.diffusion.denoise.Denoiser;
import dev.slipstream.pipelines.diffusion.denoise.LoopOptions;
import dev.slipstream.pipelines.plan.Hybridiff.Decided;
import dev.slipstream.pipelines.plan.Hybridiff;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.LoopObserver;
import dev.slipstream.pipelines.run.program.Decision.Outcome;
import dev.slipstream.pipelines.run.program.Decision;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Loops that decide where their window between two branches begins, on CPU devices. */
class DecidedWindowTest {
    private static final int STEPS = 10;
    /** The numbers of kept guidance and of given windows are added up in another order. */
    private static final float ROUNDING = 1e-5f;

    /** What a loop made, and what it decided. */
    private record Ran(float[] latents, List<Outcome> outcomes) {
        List<Integer> window() {
            return outcomes.stream().filter(Outcome::runs).map(Outcome::step).toList();
        }
    }

    private static Hybridiff decided(int lookback, double threshold, int slip, int latest) {
        return Hybridiff.usual().within(latest, 2).decidedBy(new Decided(lookback, threshold, slip), latest);
    }

    private static Ran run(Strategy strategy) {
        return run(strategy, 1).getFirst();
    }

    private static List<Ran> run(Strategy strategy, int times) {
        List<Device> devices = Devices.discover().open(Collections.nCopies(2, DeviceSpec.parse("cpu:1")));
        try (Denoiser denoiser = Denoiser.build(TinyNetwork.UNET.partitioned(strategy, 2), devices);
             Execution execution = denoiser.prepare(TinyNetwork.UNET.noise(STEPS), TinyNetwork.UNET.guidance(),
                 LoopOptions.DEFAULT.withKeptLatents(true))) {
            List<Ran> all = new ArrayList<>();
            for (int i = 0; i < times; i++) {
                all.add(new Ran(TinyNetwork.run(execution, LoopObserver.NONE),
                    execution.outcomes().getOrDefault(Decision.WINDOW, List.of())));
            }
            return all;
        } finally {
            devices.reversed().forEach(Device::close);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void itDrawsWhatAPlanDrawsThatKnewTheWindowBefore(int slip) {
        for (Ran ran : List.of(run(decided(1, Double.MAX_VALUE, slip, 8)), run(decided(1, 0, slip, 6)))) {
            int begin = ran.window().getFirst();
            assertEquals(List.of(begin, begin + 1), ran.window());
            assertArrayEquals(run(Hybridiff.usual().within(begin, 2)).latents(), ran.latents(), ROUNDING);
        }
    }

    /** Nothing falls by less than 0, so the window begins at the latest. */
    @Test
    void withoutAThresholdItBeginsAtTheLatest() {
        assertEquals(List.of(6, 7), run(decided(2, 0, 1, 6)).window());
        assertEquals(List.of(9), run(decided(2, 0, 1, 9)).window(), "the loop ends in it");
        assertEquals(List.of(), run(decided(2, 0, 1, 20)).window());
        assertEquals(List.of(), run(decided(20, 0, 1, 30)).outcomes(), "the loop ends before anything is decided");
    }

    /** The published rule, worked out from the distances of a loop that measures all of them. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void itBeginsBehindTheFirstStepAtWhichTheDistanceFallsByLessThanTheThreshold(int slip) {
        List<Outcome> outcomes = run(decided(1, 0, 0, STEPS - 1)).outcomes();
        assertEquals(2, outcomes.getFirst().step());
        List<Float> distances = outcomes.stream().map(Outcome::measure).toList();
        int flat = 1;
        while (!(distances.get(flat - 1) >= distances.get(flat))) {
            flat++;
        }
        // Distances are of step 1 on, as the first decision knows those of steps 0 and 1.
        int begin = flat + 2 + slip;
        assertTrue(begin < STEPS - 1, () -> "nothing falls: " + distances);
        Ran ran = run(decided(1, Double.MAX_VALUE, slip, STEPS - 1));
        assertTrue(ran.window().getFirst() <= begin, () -> ran.outcomes() + " of " + distances);
    }

    /** What the window leaves out is not measured, and no number of another run stands for it. */
    @ParameterizedTest
    @EnumSource
    void theSameRequestDecidesTheSameWayEveryTime(Hybridiff.Guidance guidance) {
        List<Ran> all = run(decided(1, 0, 1, 4).with(guidance), 3);
        for (Ran ran : all) {
            assertArrayEquals(all.getFirst().latents(), ran.latents());
            assertEquals(all.getFirst().outcomes(), ran.outcomes());
        }
        List<Boolean> measured = all.getFirst().outcomes().stream().map(it -> !Float.isNaN(it.measure())).toList();
        assertEquals(List.of(true, true, true), measured, "of steps 1 to 3");
        assertFalse(all.getFirst().window().isEmpty());
    }
}
