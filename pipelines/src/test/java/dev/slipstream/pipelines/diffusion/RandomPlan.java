package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.plan.Cache;
import dev.slipstream.pipelines.plan.PlanException;
import dev.slipstream.pipelines.plan.RandomPlans;
import dev.slipstream.pipelines.plan.Strategy;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.Combinators;

/** A plan by chance of the whole space, for a network that is cut as real ones are. */
record RandomPlan(TinyNetwork network, Strategy strategy, int devices) {
    /** Of all that can be put together. @param always what is part of each; maybe nothing */
    @SafeVarargs
    static Arbitrary<RandomPlan> any(Arbitrary<? extends Strategy>... always) {
        return Arbitraries.of(TinyNetwork.values()).flatMap(network -> {
            Arbitrary<? extends Strategy> divided = network == TinyNetwork.UNET ? RandomPlans.patches()
                : RandomPlans.pipeFusion();
            int components = network == TinyNetwork.UNET ? 2 : 4;
            Arbitrary<Strategy> strategies = Arbitraries.oneOf(
                RandomPlans.composed(with(always, divided, RandomPlans.cache(Cache.Part.ALL))),
                RandomPlans.composed(with(always, RandomPlans.asyncDiff(2, components),
                    RandomPlans.cache(Cache.Part.values()))));
            return Combinators.combine(strategies, Arbitraries.of(true, false)).as((strategy, fewer) ->
                new RandomPlan(network, strategy, fewer ? fewest(strategy) : strategy.usualDevices()));
        });
    }

    /** Of those that are decided in the loop, with which only the branches apart go. */
    static Arbitrary<RandomPlan> decided() {
        return RandomPlans.composed(RandomPlans.decided(), RandomPlans.cfgSplit())
            .map(strategy -> new RandomPlan(TinyNetwork.TRANSFORMER, strategy, strategy.usualDevices()));
    }

    /** With a window between steps of branches apart, which goes with no other. */
    static Arbitrary<RandomPlan> windows() {
        return Combinators.combine(Arbitraries.of(TinyNetwork.values()), RandomPlans.hybridiff())
            .as((network, strategy) -> new RandomPlan(network, strategy, strategy.usualDevices()));
    }

    @SuppressWarnings("unchecked")
    private static Arbitrary<? extends Strategy>[] with(Arbitrary<? extends Strategy>[] some,
        Arbitrary<? extends Strategy>... others) {
        return Stream.of(some, others).flatMap(Stream::of).toArray(Arbitrary[]::new);
    }

    /** So few that patches or parts share them. */
    private static int fewest(Strategy strategy) {
        for (int devices = 1; devices < strategy.usualDevices(); devices++) {
            if (fits(strategy, devices)) {
                return devices;
            }
        }
        return strategy.usualDevices();
    }

    private static boolean fits(Strategy strategy, int devices) {
        try {
            strategy.check(devices, true);
            return true;
        } catch (PlanException refused) {
            return false;
        }
    }

    /** Leaves it where these strategies are not for each other. */
    PartitionedDenoiser partitioned() {
        try {
            return network.partitioned(strategy, devices);
        } catch (PlanException refused) {
            Assume.that(false);
            throw refused;
        }
    }

    @Override
    public String toString() {
        return network + " " + strategy.spec() + " on " + devices;
    }
}
