package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.plan.RandomPlans;
import dev.slipstream.pipelines.run.loop.Estimates;
import dev.slipstream.pipelines.run.loop.KeptLatents;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.unroll.Poisoned;
import dev.slipstream.pipelines.run.unroll.Races;
import dev.slipstream.pipelines.run.unroll.SymbolicMachine;
import dev.slipstream.pipelines.run.unroll.UnrollOptions;
import java.util.List;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;

/** Programs of plans by chance: no race, no buffer that is given again too early. Nothing is built or run. */
class PlanSpaceTest {
    private static final int STEPS = 7;
    private static final int LONGEST = 300;

    @Provide
    Arbitrary<RandomPlan> plans() {
        return Arbitraries.frequencyOf(Tuple.of(9, RandomPlan.any(RandomPlans.cfgSplit(), RandomPlans.guidance())),
            Tuple.of(1, RandomPlan.decided()), Tuple.of(1, RandomPlan.windows()));
    }

    /** What of devices changes a program. */
    @Provide
    Arbitrary<UnrollOptions> devices() {
        Arbitrary<Boolean> flags = Arbitraries.of(true, false);
        return Combinators.combine(flags, flags, flags, flags).as(UnrollOptions::new);
    }

    @Property
    void everyProgramIsSound(@ForAll("plans") RandomPlan plan, @ForAll("devices") UnrollOptions options,
        @ForAll boolean keepsLatents, @ForAll int outcomes, @ForAll long seed) {
        PartitionedDenoiser partitioned = plan.partitioned();
        Program program = program(plan, partitioned, keepsLatents, options);

        assertEquals(List.of(), Races.in(program));
        List<String> expected =
            formulas(program(plan, partitioned, keepsLatents, UnrollOptions.PLAIN), partitioned, outcomes, 0);
        assertEquals(expected, formulas(Poisoned.of(program), partitioned, outcomes, seed));
        assertTrue(expected.stream().noneMatch(formula -> formula.contains("garbage")), "reads before writing");
    }

    private static Program program(RandomPlan plan, PartitionedDenoiser partitioned, boolean keepsLatents,
        UnrollOptions options) {
        return partitioned.program(plan.network().noise(STEPS), plan.network().guidance(),
            keepsLatents ? KeptLatents.ALL : KeptLatents.after(Set.of(1)),
            Estimates.every(3), options);
    }

    /** @param outcomes of decisions, a bit for each */
    private static List<String> formulas(Program program, PartitionedDenoiser partitioned, int outcomes, long seed) {
        return new SymbolicMachine(program, partitioned.plan(), LONGEST,
            (decision, step) -> (outcomes >> 2 * step + decision & 1) == 1).run(seed);
    }
}
