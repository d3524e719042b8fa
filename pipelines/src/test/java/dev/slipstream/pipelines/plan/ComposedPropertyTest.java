package dev.slipstream.pipelines.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.pipelines.run.unroll.Loops;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Where three strategies are put together, it does not matter which two of them are first. */
class ComposedPropertyTest {
    /** Three of different kinds in any order, of which one at most spreads the denoiser. */
    @Provide
    Arbitrary<List<Strategy>> triples() {
        Arbitrary<Strategy> spreading = Arbitraries.oneOf(RandomPlans.asyncDiff(2, 3), RandomPlans.pipeFusion(),
            RandomPlans.patches().map(patches -> patches.withCount(2)), RandomPlans.cache(Cache.Part.INNER));
        return Combinators.combine(spreading, RandomPlans.cfgSplit(), RandomPlans.guidance(),
            RandomPlans.cache(Cache.Part.INNER, Cache.Part.ALL)).as(List::<Strategy>of)
            .filter(all -> !(all.getFirst() instanceof Cache)).flatMap(Arbitraries::shuffle)
            .map(all -> all.subList(0, 3));
    }

    @Property(tries = 200)
    void itIsAssociative(@ForAll("triples") List<Strategy> triple) {
        Strategy one = triple.get(0);
        Strategy two = triple.get(1);
        Strategy three = triple.get(2);
        String together = outcome(() -> new Composed(List.of(one, two, three)));

        assertEquals(together, outcome(() -> one.with(two).with(three)));
        assertEquals(together, outcome(() -> one.with(two.with(three))));
        if (triple.stream().noneMatch(ComposedPropertyTest::looksAtGuidance)) {
            assertEquals(together, outcome(() -> new Composed(List.of(new Composed(List.of(one, two)), three))));
            assertEquals(together, outcome(() -> new Composed(List.of(one, new Composed(List.of(two, three))))));
        }
    }

    /** What is extrapolated depends on a schedule beside it, which it only sees in one list with it. */
    private static boolean looksAtGuidance(Strategy strategy) {
        return strategy instanceof Cache cache && cache.form().equals(Optional.of(Cache.FormName.EXTRAPOLATE));
    }

    /** The plan, or why there is none. */
    private static String outcome(Supplier<Strategy> strategies) {
        Strategy strategy = strategies.get();
        int devices = strategy.usualDevices();
        return strategy.cutting(devices) + " " + strategy.plan(segments(strategy.cutting(devices)), "eps", devices,
            true);
    }

    private static List<SegmentOutline> segments(Strategy.Cutting cutting) {
        return switch (cutting) {
            case Strategy.Cutting.Pipe pipe -> Loops.pipe(pipe.parts(), pipe.patches());
            case Strategy.Cutting.Patched patched -> PatchesTest.network(Set.of());
            default -> Loops.chain(cutting.components());
        };
    }
}
