package dev.slipstream.pipelines.run.unroll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.SegmentOutline;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Work;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Guided loops as formulas: which rows of which prediction are taken, and with which weight. */
class GuidanceTest {
    private static final int STEPS = 4;
    private static final List<SegmentOutline> ONE = Loops.withText(Loops.chain(1));
    private static final List<SegmentOutline> TWO = Loops.withText(Loops.chain(2));

    private static Plan plan(String spec, List<SegmentOutline> segments, int devices) {
        return Strategy.parse(spec).plan(segments, "eps", devices, true);
    }

    private static Program unroll(Plan plan, Guidance guidance) {
        return Unroller.unroll(plan, Loops.loop(plan.segments(), Loops.predictions(STEPS), guidance, 1, 4), true);
    }

    private static List<String> formulas(Plan plan, Guidance guidance) {
        return new SymbolicMachine(unroll(plan, guidance), plan).run(0);
    }

    @Test
    void theHalvesOfABatchAreWeighedAgainstEachOther() {
        String prediction = "C0[0](0.5*x0|0.5*x0,text)";
        assertEquals("{-2.0*" + prediction + "[0]+3.0*" + prediction + "[1]}",
            formulas(plan("sequential", ONE, 1), Guidance.of(3)).getFirst());
    }

    @Test
    void theBranchesOfASplitAreWeighedAgainstEachOtherAndEachReadsItsOwnText() {
        assertEquals("{-2.0*C0[0](0.5*x0,text)+3.0*C0[0](0.5*x0,text+1)}",
            formulas(plan("cfg-split", ONE, 2), Guidance.of(3)).getFirst());
    }

    /** As frames of a video may have: the latents' two halves lie beside each other in both predictions. */
    @Test
    void partsOfTheLatentsMayHaveWeightsOfTheirOwn() {
        String prediction = "C0[0](0.5*x0|0.5*x0,text)";
        assertEquals(prediction + "[2]|{-2.0*" + prediction + "[1]+3.0*" + prediction + "[3]}",
            formulas(plan("sequential", ONE, 1), Guidance.growing(1, 3, 2)).getFirst());
        assertEquals("C0[0](0.5*x0,text+1)[0]|{-2.0*C0[0](0.5*x0,text)[1]+3.0*C0[0](0.5*x0,text+1)[1]}",
            formulas(plan("cfg-split", ONE, 2), Guidance.growing(1, 3, 2)).getFirst());
        assertEquals("rescaled(" + prediction + "[2]|{-2.0*" + prediction + "[1]+3.0*" + prediction + "[3]},"
            + prediction + "[1])", formulas(plan("sequential", ONE, 1),
                Guidance.growing(1, 3, 2).withRescale(0.7)).getFirst());
        assertEquals("C0[0](0.5*x0,text)", formulas(Strategy.parse("sequential").plan(ONE, "eps", 1, false),
            Guidance.growing(1, 3, 2)).getFirst());
    }

    @Test
    void guidanceGrowsEvenly() {
        assertEquals(List.of(1.0, 1.5, 2.0, 2.5, 3.0), Guidance.growing(1, 3, 5).parts());
        assertEquals(List.of(1.0), Guidance.growing(1, 3, 1).parts());
        assertThrows(IllegalArgumentException.class, () -> Guidance.growing(-1, 3, 2));
    }

    @Test
    void whereNothingIsPredictedTwiceTheGuidanceDoesNotCount() {
        Plan plan = Strategy.parse("sequential").plan(ONE, "eps", 1, false);
        assertEquals("C0[0](0.5*x0,text)", formulas(plan, Guidance.of(3)).getFirst());
    }

    @Test
    void rescalingComparesTheGuidedPredictionWithTheTextsOwn() {
        String prediction = "C0[0](0.5*x0|0.5*x0,text)";
        assertEquals("rescaled({-2.0*" + prediction + "[0]+3.0*" + prediction + "[1]}," + prediction + "[1])",
            formulas(plan("sequential", ONE, 1), new Guidance(3, 0.7)).getFirst());
        assertEquals("rescaled({-2.0*C0[0](0.5*x0,text)+3.0*C0[0](0.5*x0,text+1)},C0[0](0.5*x0,text+1))",
            formulas(plan("cfg-split", ONE, 2), new Guidance(3, 0.7)).getFirst());
        assertEquals("C0[0](0.5*x0,text)", formulas(Strategy.parse("sequential").plan(ONE, "eps", 1, false),
            new Guidance(3, 0.7)).getFirst());
    }

    /** The even step of a window with stride 2 takes the prediction of the step before again. */
    @Test
    void aPredictionThatServesTwoStepsIsRescaledOnce() {
        Plan reuse = plan("asyncdiff:stride=2,form=reuse", TWO, 2);
        assertEquals(3, unroll(reuse, new Guidance(3, 0.7)).works().filter(Work.Rescale.class::isInstance).count());
        Plan paper = plan("asyncdiff:stride=2,form=paper", TWO, 2);
        assertEquals(STEPS,
            unroll(paper, new Guidance(3, 0.7)).works().filter(Work.Rescale.class::isInstance).count());
        List<String> formulas = formulas(reuse, new Guidance(3, 0.7));
        assertEquals(formulas.get(1), formulas.get(2));
    }

    @Test
    void valuesOutOfRangeAreRefusedAndBoundsAreNot() {
        assertThrows(IllegalArgumentException.class, () -> Guidance.of(-0.1));
        assertThrows(IllegalArgumentException.class, () -> Guidance.of(1000.1));
        assertThrows(IllegalArgumentException.class, () -> Guidance.of(Double.NaN));
        assertThrows(IllegalArgumentException.class, () -> new Guidance(1, -0.1));
        assertThrows(IllegalArgumentException.class, () -> new Guidance(1, 1.1));
        assertEquals(new Guidance(0, 1), Guidance.of(1000).withWeight(0).withRescale(1));
        assertTrue(new Guidance(2, 0.1).isRescaled() && !Guidance.NONE.isRescaled());
    }

    @Test
    void stepsWithoutGuidanceRunForTheTextAlone() {
        Plan plan = plan("guidance:stop=0.5", ONE, 1);
        List<String> formulas = formulas(plan, Guidance.of(3));
        String guided = "C0[0](0.5*x0|0.5*x0,text)";
        assertEquals("{-2.0*" + guided + "[0]+3.0*" + guided + "[1]}", formulas.getFirst());
        assertEquals("C0[2](0.5*" + formulas.get(1) + ",text+1)", formulas.get(2));
        assertEquals(List.of(0, 0, 1, 1),
            Programs.runs(unroll(plan, Guidance.of(3))).map(Work.Run::stage).toList());
    }

    @Test
    void aSplitsOtherDeviceRestsWhereStepsAreNotGuided() {
        Plan plan = plan("cfg-split+guidance:start=0.5", ONE, 2);
        assertEquals(List.of(1, 1, 0, 1, 0, 1),
            Programs.runs(unroll(plan, Guidance.of(3))).map(Work.Run::stage).toList());
    }

    @Test
    void theDifferenceThatTheTextMadeServesUntilItIsPredictedAnew() {
        List<String> formulas = formulas(plan("guidance:every=2", ONE, 1), Guidance.of(3));
        String last = "C0[0](0.5*x0|0.5*x0,text)";
        assertEquals("{-2.0*" + last + "[0]+2.0*" + last + "[1]+C0[1](0.5*" + formulas.getFirst() + ",text+1)}",
            formulas.get(1));
    }

    @Test
    void orNothingServesAndTheStepIsNotGuided() {
        List<String> formulas = formulas(plan("guidance:every=2,keep=none", ONE, 1), Guidance.of(3));
        assertEquals("C0[1](0.5*" + formulas.getFirst() + ",text+1)", formulas.get(1));
    }

    /** Guided at steps 0 and 2; between them the second half has seen what the first one made at step 0. */
    @Test
    void inAWindowBetweenBranchesTheTextsComponentsRunOnValuesOfTheStepBefore() {
        List<String> formulas = formulas(plan("hybridiff:start=1,length=1", TWO, 2), Guidance.of(3));
        String without = "C1[0](C0[0](0.5*x0,text))";
        String with = "C1[0](C0[0](0.5*x0,text+1))";
        assertEquals("{-2.0*" + without + "+3.0*" + with + "}", formulas.getFirst());
        assertEquals("{-2.0*" + without + "+2.0*" + with + "+C1[1](C0[0](0.5*x0,text+1))}", formulas.get(1));
        assertEquals("{-2.0*C1[2](C0[2](0.5*" + formulas.get(1) + ",text))+3.0*C1[2](C0[2](0.5*" + formulas.get(1)
            + ",text+1))}", formulas.get(2));
        assertEquals("C1[1](C0[0](0.5*x0,text+1))",
            formulas(plan("hybridiff:start=1,length=1,guidance=none", TWO, 2), Guidance.of(3)).get(1));
    }

    @Test
    void soDoesThePredictionWithoutTheText() {
        List<String> formulas = formulas(plan("guidance:every=2,keep=unconditional", ONE, 1), Guidance.of(3));
        assertEquals("{-2.0*C0[0](0.5*x0|0.5*x0,text)[0]+3.0*C0[1](0.5*" + formulas.getFirst() + ",text+1)}",
            formulas.get(1));
    }

    /** The inner part's values of a guided step are read by one that is not, and the other way round. */
    @Test
    void aCacheMakesAllRowsWhereALaterStepReadsThem() {
        List<SegmentOutline> shell = List.of(
            new SegmentOutline("I", 1, List.of("x", "t", "text"), List.of("h")),
            new SegmentOutline("O", 0, List.of("h", "t"), List.of("eps")));
        Plan plan = plan("cache:every=2,warmup=1+guidance:start=0.75", shell, 1);
        assertEquals(List.of("I+", "O+", "O+", "I", "O+", "O"), Programs.runs(unroll(plan, Guidance.of(3)))
            .map(run -> plan.label(run.stage())).toList());
        Plan early = plan("cache:every=4,warmup=1+guidance:stop=0.25", shell, 1);
        assertEquals(List.of("I", "O", "O+", "O+", "O+"), Programs.runs(unroll(early, Guidance.of(3)))
            .map(run -> early.label(run.stage())).toList());
    }

    /** Else rounds and schedule could miss each other for ever. */
    @Test
    void aPredictionThatALeftOutStepShouldHaveMadeIsMadeAtTheNext() {
        Plan plan = plan("cache:every=2,part=all,warmup=1+guidance:every=2,warmup=1", ONE, 1);
        assertEquals(List.of("C0", "C0"), Programs.runs(unroll(plan, Guidance.of(3)))
            .map(run -> plan.label(run.stage())).toList());
    }

    /** T-GATE: attention rests where guidance has ended, and its text's effect stays. */
    @Test
    void whatWasMadeForBothBranchesIsReadAsTheirMeanWhereOneIsLeft() {
        List<SegmentOutline> attention = List.of(
            new SegmentOutline("A", 1, List.of("x", "t", "text"), List.of("h")),
            new SegmentOutline("O", 0, List.of("h", "t"), List.of("eps")));
        Plan plan = plan("cache:part=attention,form=mean,steps=0+1,warmup=1+guidance:stop=0.5", attention, 1);
        List<String> formulas = formulas(plan, Guidance.of(1));
        assertEquals(List.of("A", "O", "A", "O", "O+", "O+"), Programs.runs(unroll(plan, Guidance.of(1)))
            .map(run -> plan.label(run.stage())).toList());
        String made = "A[1](0.5*" + formulas.getFirst() + "|0.5*" + formulas.getFirst() + ",text)";
        assertEquals("O[2]({0.5*" + made + "[0]+0.5*" + made + "[1]})", formulas.get(2));
    }

    @Test
    void aStepWithoutGuidanceMayBeToldWhatTheBranchWithoutTheTextIs() {
        assertTrue(formulas(plan("guidance:stop=0.5,untold", ONE, 1), Guidance.of(3)).get(2).endsWith(",text)"));
        assertTrue(formulas(plan("guidance:stop=0.5", ONE, 1), Guidance.of(3)).get(2).endsWith(",text+1)"));
    }
}
