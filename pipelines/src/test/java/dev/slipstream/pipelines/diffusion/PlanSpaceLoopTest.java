package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.pipelines.diffusion.denoise.Denoiser;
import dev.slipstream.pipelines.diffusion.denoise.LoopOptions;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.plan.CfgSplit;
import dev.slipstream.pipelines.plan.RandomPlans;
import dev.slipstream.pipelines.plan.Sequential;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.LoopObserver;
import java.util.Collections;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;

/** Plans by chance on real devices. */
class PlanSpaceLoopTest {
    private static final int STEPS = 7;
    private static final int MOST_SYNCHRONOUS = 3;
    /** Of patches and of batches of other sizes, which round in another order. */
    private static final float ROUNDING = 1e-5f;
    /** After all steps, in which guidance makes more of it. */
    private static final float ROUNDING_OF_LOOPS = 1e-4f;

    @Provide
    Arbitrary<RandomPlan> always() {
        return Arbitraries.frequencyOf(Tuple.of(4, RandomPlan.any(RandomPlans.cfgSplit())),
            Tuple.of(1, RandomPlan.windows()));
    }

    @Property(tries = 8)
    void whereEveryStepIsSynchronousAPlanIsTheUnsplitModel(@ForAll("always") RandomPlan plan) {
        int steps = Math.min(MOST_SYNCHRONOUS, plan.strategy().cadence().warmUp());
        float[] whole = run(plan.network(), new Sequential(), 1, steps);
        float[] latents = run(plan.network(), plan.strategy(), plan.devices(), steps);

        boolean rounds = plan.strategy().splitsGuidance() || plan.strategy().spec().matches(".*(patches|pipe).*");
        assertClose(whole, latents, rounds ? ROUNDING : 0);
    }

    @Provide
    Arbitrary<RandomPlan> together() {
        return RandomPlan.any(RandomPlans.guidance());
    }

    @Property(tries = 8)
    void branchesOfGuidanceThatRunApartGiveWhatTheyGiveTogether(@ForAll("together") RandomPlan plan) {
        PartitionedDenoiser ignored = plan.partitioned();
        Strategy apart = new CfgSplit().with(plan.strategy());

        assertClose(run(plan.network(), plan.strategy(), plan.devices(), STEPS),
            run(plan.network(), apart, 2 * plan.devices(), STEPS), ROUNDING_OF_LOOPS);
    }

    @Provide
    Arbitrary<RandomPlan> onePatch() {
        return Arbitraries.integers().between(1, 4).map(parts -> new RandomPlan(TinyNetwork.TRANSFORMER,
            Strategy.parse("pipefusion:patches=1,parts=" + parts), parts));
    }

    @Property(tries = 4)
    void partsWithOnePatchAreTheUnsplitModel(@ForAll("onePatch") RandomPlan plan) {
        assertClose(run(plan.network(), new Sequential(), 1, STEPS),
            run(plan.network(), plan.strategy(), plan.devices(), STEPS), ROUNDING);
    }

    private static void assertClose(float[] expected, float[] actual, float tolerance) {
        assertEquals(expected.length, actual.length);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], tolerance * Math.max(1, Math.abs(expected[i])), "number " + i);
        }
    }

    private static float[] run(TinyNetwork network, Strategy strategy, int count, int steps) {
        List<Device> devices = Devices.discover().open(Collections.nCopies(count, DeviceSpec.parse("cpu:1")));
        try (Denoiser denoiser = Denoiser.build(network.partitioned(strategy, count), devices);
             Execution execution = denoiser.prepare(network.noise(steps), network.guidance(),
                 LoopOptions.DEFAULT.withKeptLatents(true))) {
            return TinyNetwork.run(execution, LoopObserver.NONE);
        } finally {
            devices.reversed().forEach(Device::close);
        }
    }
}
