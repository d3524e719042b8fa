package dev.slipstream.pipelines.run.unroll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Arithmetic.Limit;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.loop.KeptLatents;
import dev.slipstream.pipelines.run.loop.LoopSpec;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Work;
import dev.slipstream.pipelines.run.simulate.Machine;
import dev.slipstream.pipelines.run.simulate.Simulator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Bands of the latents that go through the loop one by one. */
class BandsTest {
    private static final int STEPS = 6;

    private static Plan plan(int parts, int patches) {
        return Strategy.parse("pipefusion:parts=" + parts + ",patches=" + patches).plan(Loops.pipe(parts, patches),
            "eps", parts, false);
    }

    private static Program program(Plan plan, int patches, NoiseTable table, boolean copyStreams) {
        return Unroller.unroll(plan, Loops.banded(plan.segments(), table, patches), copyStreams);
    }

    private static Set<String> ran(Plan plan, Program program) {
        return Programs.runs(program).map(run -> plan.segment(run.stage()).name()).collect(Collectors.toSet());
    }

    /** M·S/(M·S + N−1) of the devices' time is used, as published: a step does not wait for the one before. */
    @ParameterizedTest
    @CsvSource({"4, 4, false", "4, 4, true", "2, 4, false", "2, 2, true", "3, 4, true"})
    void thePipelineIsFilledOnce(int parts, int patches, boolean copyStreams) {
        Plan plan = plan(parts, patches);
        Program program = program(plan, patches, Loops.predictions(STEPS), copyStreams);

        long end = Simulator.simulate(program,
            Machine.ideal(parts, (device, work) -> work instanceof Work.Run<?> ? 1 : 0)).latencyNanos();

        int warmUp = parts;
        assertEquals(warmUp + patches * (STEPS - 1) + parts - 1, end);
        assertFalse(ran(plan, program).contains("division"));
        assertFalse(ran(plan, program).contains("assembly"));
    }

    @Test
    void whatLimitsWholePicturesWaitsForAllBands() {
        Plan plan = plan(2, 4);
        NoiseTable table = Loops.predictions(STEPS);
        NoiseTable limited =
            new NoiseTable("limited", 1, table.rows(), Optional.of(new Limit.DynamicThreshold(0.9f, 1)));

        Program program = program(plan, 4, limited, false);

        assertTrue(ran(plan, program).containsAll(Set.of("division", "assembly")));
    }

    @Property(tries = 50)
    void noOrderOfTheStreamsChangesAnything(@ForAll boolean copyStreams, @ForAll long seed) {
        Plan plan = plan(2, 2);
        List<String> expected =
            new SymbolicMachine(program(plan, 2, Loops.predictions(STEPS), false), plan).run(0);

        assertEquals(expected,
            new SymbolicMachine(program(plan, 2, Loops.predictions(STEPS), copyStreams), plan).run(seed));
        assertTrue(expected.stream().noneMatch(formula -> formula.contains("garbage")), "reads before writing");
    }

    @Test
    void latentsOfEveryStepAreWholeWhereTheyAreKept() {
        Plan plan = plan(2, 2);
        LoopSpec loop = Loops.banded(plan.segments(), Loops.predictions(STEPS), 2);
        LoopSpec kept = new LoopSpec(loop.ports(), loop.noise(), loop.guidance(), loop.latents(), loop.types(),
            KeptLatents.ALL, loop.estimates(), loop.rests(), loop.bands());

        Program program = Unroller.unroll(plan, kept, false);

        program.latents().forEach(region -> assertEquals(loop.latents().bytes(), region.bytes()));
    }
}
