package dev.slipstream.pipelines.run.unroll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.SegmentOutline;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.loop.KeptLatents;
import dev.slipstream.pipelines.run.loop.LoopSpec;
import dev.slipstream.pipelines.run.loop.Rests;
import dev.slipstream.pipelines.run.program.HostInput;
import dev.slipstream.pipelines.run.program.Instruction;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Work;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A component that rests at some steps: its segment is in no instruction of these, and its readers take zeros. */
class RestsTest {
    private static final List<SegmentOutline> CONTROLLED = List.of(
        new SegmentOutline("K", -1, List.of("x", "t"), List.of("k")),
        new SegmentOutline("C0", 0, List.of("x", "k", "t"), List.of("o")),
        new SegmentOutline("C1", 1, List.of("o", "k", "t"), List.of("eps")));

    private static Plan plan(String spec, int devices, List<SegmentOutline> segments) {
        return Strategy.parse(spec).plan(segments, "eps", devices, false);
    }

    private static Program program(Plan plan, int steps, Rests rests, boolean copyStreams) {
        LoopSpec loop = Loops.loop(plan.segments(), steps);
        return Unroller.unroll(plan, new LoopSpec(loop.ports(), loop.noise(), loop.guidance(), loop.latents(),
            loop.types(), KeptLatents.LAST, loop.estimates(), rests), copyStreams);
    }

    /** Steps at which a segment runs. */
    private static List<Integer> steps(Program program, Plan plan, String segment) {
        return program.instructions().stream().filter(instruction -> instruction instanceof Instruction.Launch launch
            && launch.work() instanceof Work.Run<?> run && plan.segment(run.stage()).name().equals(segment))
            .map(Instruction::step).toList();
    }

    @ParameterizedTest
    @CsvSource({"sequential, 1", "sequential, 3", "asyncdiff:n=2, 2", "asyncdiff:n=2, 3"})
    void itsSegmentRunsAtNoStepAtWhichItRests(String spec, int devices) {
        Plan plan = plan(spec, devices, CONTROLLED);
        Rests rests = new Rests(Map.of(-1, Set.of(0, 3, 4)));

        assertEquals(List.of(1, 2, 5), steps(program(plan, 6, rests, false), plan, "K"));
        assertEquals(List.of(0, 1, 2, 3, 4, 5), steps(program(plan, 6, rests, false), plan, "C1"));
        assertEquals(List.of(0, 1, 2, 3, 4, 5), steps(program(plan, 6, Rests.NONE, false), plan, "K"));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void itsReadersTakeZerosThen(boolean copyStreams) {
        Plan plan = plan("sequential", 3, CONTROLLED);
        List<String> x = new SymbolicMachine(program(plan, 2, new Rests(Map.of(-1, Set.of(1))), copyStreams), plan)
            .run(5);

        assertEquals("C1[0](C0[0](x0,K[0](x0)),K[0](x0))", x.getFirst());
        assertEquals("C1[1](C0[1](" + x.getFirst() + ",0),0)", x.getLast());
    }

    /** A round serves two steps, and takes what the module makes at the round's own. */
    @Test
    void withStrideTwoTheStepOfTheRoundCounts() {
        Plan plan = plan("asyncdiff:n=2,stride=2,form=reuse", 2, CONTROLLED);

        assertEquals(List.of(0, 3, 5), steps(program(plan, 7, new Rests(Map.of(-1, Set.of(1, 4))), false), plan, "K"));
    }

    /** What is old when it is read was made, or not, at its own step. */
    @Test
    void aComponentThatLagsRestsAStepBeforeItsReadersMissIt() {
        List<SegmentOutline> lagging = List.of(CONTROLLED.get(1), CONTROLLED.get(2),
            new SegmentOutline("K", 2, List.of("x", "t"), List.of("k")));
        List<SegmentOutline> order = List.of(lagging.get(2), lagging.get(0), lagging.get(1));
        Plan plan = plan("asyncdiff:n=3", 3, order);
        List<String> x = new SymbolicMachine(program(plan, 4, new Rests(Map.of(2, Set.of(2))), false), plan).run(5);

        assertTrue(x.get(2).endsWith(",K[1](" + x.get(0) + "))"), x.get(2));
        assertTrue(x.get(3).endsWith(",0)"), x.get(3));
    }

    @Test
    void zerosLieOnceOnEachDeviceThatReadsThem() {
        Plan plan = plan("sequential", 3, CONTROLLED);
        Program program = program(plan, 4, new Rests(Map.of(-1, Set.of(1, 2))), false);

        assertEquals(2, program.hostInputs().stream().filter(HostInput.Zeros.class::isInstance).count());
        assertTrue(program(plan, 4, Rests.NONE, false).hostInputs().stream()
            .noneMatch(HostInput.Zeros.class::isInstance));
    }

    @Test
    void whatPredictsCannotRest() {
        Plan plan = plan("sequential", 1, CONTROLLED);
        assertThrows(IllegalArgumentException.class, () -> program(plan, 2, new Rests(Map.of(1, Set.of(1))), false));
    }
}
