package dev.slipstream.pipelines.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.plan.Stage.Branch;
import dev.slipstream.pipelines.plan.Strategy.Cutting;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Where each strategy puts which segment, and how old what it reads may be. */
class PlacementTest {
    private static final List<SegmentOutline> SHELL = List.of(
        new SegmentOutline("outer.0", 1, List.of("x", "t"), List.of("d", "skip")),
        new SegmentOutline("inner", 0, List.of("d", "t"), List.of("i")),
        new SegmentOutline("outer.1", 1, List.of("i", "skip", "t"), List.of("eps")));

    /** Components that each read what the one before made. */
    private static List<SegmentOutline> chain(int components) {
        return IntStream.range(0, components).mapToObj(c -> new SegmentOutline("c" + c, c,
            List.of(c == 0 ? "x" : "o" + (c - 1), "t"), List.of(c == components - 1 ? "eps" : "o" + c))).toList();
    }

    private static Plan plan(String spec, List<SegmentOutline> segments, int devices, boolean guided) {
        return Strategy.parse(spec).plan(segments, "eps", devices, guided);
    }

    private static String refused(String spec, List<SegmentOutline> segments, int devices, boolean guided) {
        return assertThrows(PlanException.class, () -> plan(spec, segments, devices, guided)).getMessage();
    }

    @Test
    void cfgSplitPutsTheWholeDenoiserOfEachBranchOnADeviceOfItsOwn() {
        Plan plan = plan("cfg-split", chain(2), 2, true);
        assertEquals(List.of(new Stage(0, 0, Branch.UNCONDITIONAL, 0), new Stage(0, 1, Branch.CONDITIONAL, 0),
            new Stage(1, 0, Branch.UNCONDITIONAL, 0), new Stage(1, 1, Branch.CONDITIONAL, 0)), plan.stages());
        assertEquals(List.of(new Edge("o0", 0, 2, 0), new Edge("o0", 1, 3, 0)), plan.edges());
        assertEquals(List.of("c0-", "c0+", "c1-", "c1+"), IntStream.range(0, 4).mapToObj(plan::label).toList());
        assertEquals(1, plan.home());
        assertEquals("cfg-split", plan.strategy());
        assertTrue(plan.cadence().isSynchronous(999, 1000));
    }

    @Test
    void cfgSplitWantsGuidanceAndTwoDevices() {
        Strategy split = Strategy.parse("cfg-split");
        assertTrue(split.splitsGuidance());
        assertEquals(Cutting.WHOLE, split.cutting(2));
        assertTrue(refused("cfg-split", chain(1), 2, false).contains("needs guidance"));
        assertTrue(refused("cfg-split", chain(1), 1, true).contains("on 2 devices, one a branch, not on 1"));
        assertTrue(refused("cfg-split", chain(1), 3, true).contains("not on 3"));
        split.check(2, true);
    }

    @Test
    void sequentialSpreadsComponentsOverTheDevicesWithFreshEdges() {
        Plan plan = plan("sequential", SHELL, 2, true);
        assertEquals(List.of(new Stage(0, 1, Branch.BOTH, 0), new Stage(1, 0, Branch.BOTH, 0),
            new Stage(2, 1, Branch.BOTH, 0)), plan.stages());
        assertEquals(List.of(new Edge("d", 0, 1, 0), new Edge("i", 1, 2, 0), new Edge("skip", 0, 2, 0)),
            plan.edges());
        assertEquals(Branch.CONDITIONAL, plan("sequential", SHELL, 1, false).stages().getFirst().branch());
        assertEquals(List.of(0, 1, 0), plan("sequential", chain(3), 2, false).stages().stream().map(Stage::device)
            .toList());
        assertEquals(new Cutting.Parts(3, Optional.empty()), Strategy.parse("sequential").cutting(3));
        assertFalse(Strategy.parse("sequential").splitsGuidance());
        assertEquals(new Cutting.Parts(2, Optional.of("shell")), Strategy.parse("asyncdiff:cut=shell").cutting(2));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"asyncdiff | 2 | 2", "asyncdiff | 3 | 3", "asyncdiff:n=4 | 2 | 4",
        "asyncdiff:n=2 | 1 | 2", "asyncdiff:stride=2,form=reuse | 3 | 3", "asyncdiff:stride=2,form=paper | 2 | 2",
        "asyncdiff:stride=2,form=paper | 3 | 2", "asyncdiff:stride=2,form=paper | 4 | 3"})
    void asManyComponentsAsTheDevicesServeUnlessANumberIsGiven(String spec, int devices, int components) {
        assertEquals(components, Strategy.parse(spec).cutting(devices).components());
    }

    @Test
    void oneDeviceCannotServeTwoComponentsAtATime() {
        assertTrue(assertThrows(PlanException.class, () -> Strategy.parse("asyncdiff").cutting(1)).getMessage()
            .contains("at least 2 devices"));
        for (int parts : new int[] {-1, 1}) {
            assertThrows(PlanException.class, () -> new AsyncDiff(parts, Cadence.SYNCHRONOUS,
                AsyncDiff.Staleness.PIPELINED, Optional.empty()));
        }
    }

    @Test
    void noSegmentForThePredictionIsRefused() {
        assertTrue(assertThrows(PlanException.class,
            () -> Strategy.parse("asyncdiff").plan(chain(2), "velocity", 2, true)).getMessage()
            .contains("no segment writes the prediction velocity"));
    }

    @Test
    void asyncDiffUsesNoMoreDevicesThanItHasRuns() {
        assertTrue(refused("asyncdiff", chain(3), 4, true).contains("3 components uses at most 3 devices, not 4"));
        assertTrue(refused("asyncdiff:stride=2", chain(3), 4, true).contains("at most 3 devices"));
        assertTrue(refused("asyncdiff:stride=2,form=paper", chain(3), 5, true).contains("at most 4 devices"));
        assertTrue(refused("asyncdiff:form=paper", chain(2), 3, true).contains("at most 2 devices"));
        assertEquals(4, plan("asyncdiff:stride=2", SHELL, 3, true).stages().getLast().device() + 2);
    }

    /** Each component of a chain feeds the next, but the last feeds none: as released it runs for one step only. */
    @Test
    void strideTwoAsReleasedRunsTheLastComponentOfAChainForTheRoundsOwnStep() {
        Plan plan = plan("asyncdiff:stride=2", chain(3), 3, true);
        assertEquals(List.of(new Stage(0, 0, Branch.BOTH, 1), new Stage(1, 1, Branch.BOTH, 1),
            new Stage(2, 2, Branch.BOTH, 0)), plan.stages());
        assertEquals(List.of("c0(t+1)", "c1(t+1)", "c2"), IntStream.range(0, 3).mapToObj(plan::label).toList());
        assertEquals(List.of(2), plan.predictors(0));
        assertEquals(List.of(), plan.predictors(1));
    }

    /** Only what other components read makes a second run necessary, not what the last one reads of itself. */
    @Test
    void strideTwoAsReleasedRunsALastComponentOfTwoSegmentsOnceToo() {
        List<SegmentOutline> segments = List.of(new SegmentOutline("a", 0, List.of("x", "t"), List.of("a")),
            new SegmentOutline("b", 1, List.of("a", "t"), List.of("b")),
            new SegmentOutline("c", 1, List.of("b", "t"), List.of("eps")));
        assertEquals(List.of(1, 0, 0),
            plan("asyncdiff:stride=2", segments, 2, true).stages().stream().map(Stage::lead).toList());
    }

    @Test
    void strideTwoAsReleasedRunsAShellForBothSteps() {
        Plan plan = plan("asyncdiff:stride=2", SHELL, 3, true);
        assertEquals(List.of(new Stage(0, 1, Branch.BOTH, 1), new Stage(0, 2, Branch.BOTH, 0),
            new Stage(1, 0, Branch.BOTH, 1), new Stage(2, 1, Branch.BOTH, 1), new Stage(2, 2, Branch.BOTH, 0)),
            plan.stages());
        assertEquals(List.of(new Edge("d", 0, 2, 0), new Edge("i", 2, 3, 1), new Edge("skip", 0, 3, 0),
            new Edge("i", 2, 4, 1), new Edge("skip", 1, 4, 0)), plan.edges());
        assertEquals(List.of(4), plan.predictors(0));
        assertEquals(List.of(3), plan.predictors(1));
        assertEquals(2, plan.home());
        assertEquals(1, plan("asyncdiff:stride=2", SHELL, 2, true).stages().get(1).device(),
            "without one more device the second run shares that of the first");
    }

    @Test
    void aPlanFindsStagesAndSegments() {
        Plan plan = plan("asyncdiff", SHELL, 2, false);
        assertFalse(plan.isMade("x"));
        assertTrue(plan.isMade("skip"));
        assertEquals(0, plan.writer("skip", Branch.CONDITIONAL));
        assertEquals(2, plan.writer("eps", Branch.CONDITIONAL));
        assertEquals("inner", plan.segment(1).name());
        assertTrue(assertThrows(PlanException.class, () -> plan.writer("i", Branch.BOTH)).getMessage()
            .contains("no stage makes i for BOTH"));
    }
}
