package dev.slipstream.pipelines.run.unroll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.SegmentOutline;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.program.Program;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The step tables of the published schedule, as formulas: {@code C1[2](C0[1](..))} is C1 at timestep 2. */
class UnrollerTest {
    private static final int STEPS = 6;

    private static List<String> predictions(String spec, List<SegmentOutline> segments, int devices) {
        Strategy strategy = Strategy.parse(spec);
        Plan plan = strategy.plan(segments, "eps", devices, false);
        List<String> first = null;
        for (UnrollOptions options : Loops.OPTIONS) {
            Program program = Unroller.unroll(plan, Loops.loop(segments, STEPS), options);
            for (int seed = 0; seed < 25; seed++) {
                List<String> formulas = new SymbolicMachine(program, plan).run(seed);
                first = first == null ? formulas : first;
                assertEquals(first, formulas, "the order in which streams run must not matter");
            }
        }
        return first;
    }

    /** Formulas in terms of x1, x2, ...: what the latents after each step are. */
    private static List<String> named(List<String> formulas) {
        List<String> named = new ArrayList<>();
        for (String formula : formulas) {
            String text = formula;
            for (int step = named.size(); step >= 1; step--) {
                text = text.replace(formulas.get(step - 1), "x" + step);
            }
            named.add(text);
        }
        return named;
    }

    @Test
    void withoutSlipEveryStepIsTheWholeDenoiser() {
        assertEquals(List.of("C1[0](C0[0](x0))", "C1[1](C0[1](x1))", "C1[2](C0[2](x2))", "C1[3](C0[3](x3))",
            "C1[4](C0[4](x4))", "C1[5](C0[5](x5))"), named(predictions("sequential", Loops.chain(2), 2)));
    }

    @Test
    void strideOneWithTwoComponentsFollowsThePublishedTable() {
        assertEquals(List.of("C1[0](C0[0](x0))", "C1[1](C0[0](x0))", "C1[2](C0[1](x1))", "C1[3](C0[2](x2))",
            "C1[4](C0[3](x3))", "C1[5](C0[4](x4))"), named(predictions("asyncdiff:warmup=1", Loops.chain(2), 2)));
    }

    @Test
    void strideOneWithThreeComponentsAndTwoWarmUpStepsFollowsThePublishedTable() {
        assertEquals(List.of("C2[0](C1[0](C0[0](x0)))", "C2[1](C1[1](C0[1](x1)))", "C2[2](C1[1](C0[1](x1)))",
            "C2[3](C1[2](C0[1](x1)))", "C2[4](C1[3](C0[2](x2)))", "C2[5](C1[4](C0[3](x3)))"),
            named(predictions("asyncdiff:warmup=2", Loops.chain(3), 3)));
    }

    @Test
    void strideTwoAsReleasedRepeatsThePredictionOfTheRound() {
        List<String> formulas = predictions("asyncdiff:warmup=1,stride=2,form=reuse", Loops.chain(2), 2);
        assertEquals("C1[1](C0[0](x0))", formulas.get(1));
        assertEquals(formulas.get(1), formulas.get(2));
        assertEquals("C1[3](C0[2](" + formulas.get(0) + "))", formulas.get(3));
        assertEquals(formulas.get(3), formulas.get(4));
        assertEquals("C1[5](C0[4](" + formulas.get(2) + "))", formulas.get(5));
    }

    @Test
    void strideTwoAsInThePaperPredictsForBothStepsOfTheRound() {
        List<String> formulas = predictions("asyncdiff:warmup=1,stride=2,form=paper", Loops.chain(3), 4);
        String before = "C0[0](x0)";
        assertEquals("C2[1](C1[0](" + before + "))", formulas.get(1));
        assertEquals("C2[2](C1[0](" + before + "))", formulas.get(2));
        assertEquals("C2[3](C1[2](" + before + "))", formulas.get(3));
        assertEquals("C2[4](C1[2](" + before + "))", formulas.get(4));
        assertEquals("C2[5](C1[4](C0[2](" + formulas.get(0) + ")))", formulas.get(5));
    }

    /** The even step before the tail belongs to the round before, although the next step is synchronous. */
    @Test
    void strideTwoAsInThePaperPredictsForTheLastStepOfTheWindowToo() {
        List<String> formulas = predictions("asyncdiff:warmup=1,tail=1,stride=2,form=paper", Loops.chain(2), 3);
        assertTrue(formulas.get(3).startsWith("C1[3]("), formulas.get(3));
        assertTrue(formulas.get(4).startsWith("C1[4]("), formulas.get(4));
    }

    @Test
    void anEvenWarmUpWithStrideTwoRepeatsTheLastSynchronousPrediction() {
        for (String form : List.of("reuse", "paper")) {
            List<String> formulas = predictions("asyncdiff:warmup=2,stride=2,form=" + form, Loops.chain(2), 2);
            assertEquals(formulas.get(1), formulas.get(2), form);
            assertEquals("C1[3](C0[1](" + formulas.get(0) + "))", formulas.get(3), form);
        }
    }

    @Test
    void timeShiftUsesTheTimestepBefore() {
        List<String> formulas = predictions("asyncdiff:warmup=2,shift", Loops.chain(2), 2);
        assertEquals(formulas.get(1), formulas.get(2), "the first asynchronous step repeats the last prediction");
        assertEquals(List.of("1", "2", "3", "4"),
            formulas.subList(2, 6).stream().map(formula -> formula.substring(3, 4)).toList());
    }

    @Test
    void aShellAsPublishedReadsInnerValuesThatAreTwoStepsOld() {
        List<String> formulas =
            named(predictions("asyncdiff:warmup=1,staleness=reference", Loops.shell(), 2));
        assertEquals("U[4](I[3](D[2](x2)),D[4](x4).skip)", formulas.get(4));
    }

    @Test
    void aPipelinedShellReadsInnerValuesThatAreOneStepOld() {
        List<String> formulas = named(predictions("asyncdiff:warmup=1", Loops.shell(), 2));
        assertEquals("U[4](I[3](D[3](x3)),D[4](x4).skip)", formulas.get(4));
    }

    @Test
    void componentsThatReadEachOtherAreOneStepOldOnEveryWay() {
        List<SegmentOutline> pingPong = List.of(
            new SegmentOutline("A", 0, List.of("x", "t"), List.of("a")),
            new SegmentOutline("P", 1, List.of("a", "t"), List.of("p")),
            new SegmentOutline("Q", 2, List.of("p", "t"), List.of("q")),
            new SegmentOutline("R", 1, List.of("q", "t"), List.of("r")),
            new SegmentOutline("S", 2, List.of("r", "q", "t"), List.of("eps")));
        List<String> formulas = named(predictions("asyncdiff:warmup=1,staleness=reference", pingPong, 3));
        assertEquals("S[5](R[4](Q[3](P[2](A[1](x1)))),Q[5](P[4](A[3](x3))))", formulas.get(5));
    }

    @Test
    void theTailIsSynchronousAgain() {
        List<String> formulas = named(predictions("asyncdiff:warmup=1,tail=2", Loops.chain(2), 2));
        assertEquals(List.of("C1[3](C0[2](x2))", "C1[4](C0[4](x4))", "C1[5](C0[5](x5))"), formulas.subList(3, 6));
    }

    @ParameterizedTest
    @ValueSource(strings = {"sequential", "asyncdiff:n=3,warmup=1", "asyncdiff:n=3,warmup=2,tail=1",
        "asyncdiff:n=3,warmup=3,stride=2,form=paper", "asyncdiff:n=3,warmup=1,stride=2,shift"})
    void theDeviceCountDoesNotChangeTheResult(String spec) {
        List<String> alone = predictions(spec, Loops.chain(3), 1);
        assertEquals(alone, predictions(spec, Loops.chain(3), 2));
        assertEquals(alone, predictions(spec, Loops.chain(3), 3));
    }

    @Test
    void anEdgeWithSlipPingPongsBetweenTwoBuffers() {
        List<SegmentOutline> segments = Loops.chain(2);
        Plan plan = Strategy.parse("asyncdiff:warmup=1").plan(segments, "eps", 2, false);
        Program program = Unroller.unroll(plan, Loops.loop(segments, 40), false);
        Program longer = Unroller.unroll(plan, Loops.loop(segments, 80), false);
        assertEquals(program.buffers().size(), longer.buffers().size(), "buffers must not grow with the steps");
        long distinct = Programs.runs(longer).filter(run -> run.stage() == 1)
            .map(run -> run.tensors().get("o0").buffer()).distinct().count();
        assertTrue(distinct >= 2 && distinct <= 3, "versions lie in " + distinct + " buffers");
    }

    @Test
    void estimatesComeAtEveryKthStepButTheLast() {
        List<SegmentOutline> segments = Loops.chain(2);
        Plan plan = Strategy.parse("sequential").plan(segments, "eps", 1, false);
        assertEquals(Set.of(), Unroller.unroll(plan, Loops.loop(segments, STEPS, 0), false).estimates().keySet());
        assertEquals(Set.of(1, 3), Unroller.unroll(plan, Loops.loop(segments, STEPS, 2), false).estimates().keySet());
        assertEquals(Set.of(3), Unroller.unroll(plan, Loops.loop(segments, STEPS, 4), false).estimates().keySet());
        assertThrows(IllegalArgumentException.class, () -> Loops.loop(segments, STEPS, -1));
    }

    @ParameterizedTest
    @ValueSource(strings = {"sequential", "asyncdiff:n=3,warmup=1", "asyncdiff:n=3,warmup=2,tail=1",
        "asyncdiff:n=3,warmup=3,stride=2,form=paper", "asyncdiff:n=3,warmup=1,stride=2,shift"})
    void askingForEstimatesAddsThemAndChangesNothingElse(String spec) {
        List<SegmentOutline> segments = Loops.chain(3);
        Plan plan = Strategy.parse(spec).plan(segments, "eps", 3, false);
        for (boolean copyStreams : new boolean[] {false, true}) {
            Program without = Unroller.unroll(plan, Loops.loop(segments, STEPS), copyStreams);
            Program with = Unroller.unroll(plan, Loops.loop(segments, STEPS, 2), copyStreams);
            assertEquals(new SymbolicMachine(without, plan).run(0), new SymbolicMachine(with, plan).run(0));
            assertEquals(without.instructions().size() + 2, with.instructions().size(), "no wait or copy is added");
            assertEquals(without.buffers().size() + 2, with.buffers().size(), "one buffer an estimate is added");
            assertEquals(without.events(), with.events());
        }
    }

    @Test
    void workThatIsNotReadIsNotRun() {
        List<SegmentOutline> segments = Loops.chain(2);
        Plan plan = Strategy.parse("asyncdiff:warmup=1").plan(segments, "eps", 2, false);
        Program program = Unroller.unroll(plan, Loops.loop(segments, STEPS), false);
        assertEquals(2 * STEPS - 1, program.engineRuns(), "C0 of the last step feeds nothing");
    }
}
