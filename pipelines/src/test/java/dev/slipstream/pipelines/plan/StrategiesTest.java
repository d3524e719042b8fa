package dev.slipstream.pipelines.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StrategiesTest {
    private static final List<SegmentOutline> HALVES = List.of(
        new SegmentOutline("c0", 0, List.of("x", "t"), List.of("h")),
        new SegmentOutline("c1", 1, List.of("h", "t"), List.of("eps")));

    private static final List<SegmentOutline> SHELL = List.of(
        new SegmentOutline("c1.0", 1, List.of("x", "t"), List.of("d", "skip")),
        new SegmentOutline("c0", 0, List.of("d", "t"), List.of("i")),
        new SegmentOutline("c1.1", 1, List.of("i", "skip", "t"), List.of("eps")));

    @ParameterizedTest
    @ValueSource(strings = {"sequential", "cfg-split", "asyncdiff:warmup=1", "asyncdiff:n=3,warmup=2,tail=1",
        "asyncdiff:warmup=3,stride=2,form=paper,shift", "asyncdiff:warmup=1,stride=2,form=reuse",
        "asyncdiff:warmup=1,cut=shell,staleness=reference"})
    void whatAStrategyPrintsIsReadBackTheSame(String spec) {
        assertEquals(spec, Strategies.parse(spec).spec());
        assertEquals(Strategies.parse(spec), Strategies.parse(Strategies.parse(spec).spec()));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "teleport | there is no plan 'teleport'; there are sequential, cfg-split, asyncdiff",
        "sequential:n=2 | sequential takes no settings, not [n]",
        "asyncdiff:warm=1 | asyncdiff has no setting warm; it has n, warmup, tail, stride, form, shift, cut, staleness",
        "asyncdiff:warmup=soon | asyncdiff: warmup is a whole number from 1 to 10000, not 'soon'",
        "asyncdiff:stride=3 | asyncdiff: stride is 1 or 2, not '3'",
        "asyncdiff:form=other | asyncdiff: form is reuse or paper, not 'other'",
        "asyncdiff:n=1 | asyncdiff: n is a whole number from 2 to 256, not '1'",
        "asyncdiff:n=2,n=3 | in plan 'asyncdiff:n=2,n=3' the setting n is given twice"})
    void whatIsNotUnderstoodIsNamed(String spec, String message) {
        assertEquals(message, assertThrows(PlanException.class, () -> Strategies.parse(spec)).getMessage());
    }

    @Test
    void warmUpOfZeroIsRefused() {
        assertThrows(PlanException.class, () -> Strategies.parse("asyncdiff:warmup=0"));
    }

    @Test
    void moreDevicesThanComponentsAreRefused() {
        String message = assertThrows(PlanException.class,
            () -> Strategies.parse("asyncdiff:n=2").plan(HALVES, "eps", 3, true)).getMessage();
        assertTrue(message.contains("at most 2 devices, not 3"), message);
    }

    @Test
    void asyncDiffLagsEdgesBetweenDevicesByOne() {
        Plan plan = Strategies.parse("asyncdiff").plan(HALVES, "eps", 2, true);
        assertEquals(List.of(new Stage(0, 0, Branch.BOTH, 0), new Stage(1, 1, Branch.BOTH, 0)), plan.stages());
        assertEquals(List.of(new Edge("h", 0, 1, 1)), plan.edges());
        assertEquals(1, plan.home());
    }

    @Test
    void aPipelinedShellLagsOnlyWhatComesBack() {
        assertEquals(List.of(new Edge("d", 0, 1, 0), new Edge("i", 1, 2, 1), new Edge("skip", 0, 2, 0)),
            Strategies.parse("asyncdiff").plan(SHELL, "eps", 2, true).edges());
        assertEquals(List.of(new Edge("d", 0, 1, 1), new Edge("i", 1, 2, 1), new Edge("skip", 0, 2, 0)),
            Strategies.parse("asyncdiff:staleness=reference").plan(SHELL, "eps", 2, true).edges());
    }

    @Test
    void strideTwoInThePapersFormHasTheLastComponentTwice() {
        Plan plan = Strategies.parse("asyncdiff:stride=2,form=paper").plan(HALVES, "eps", 3, true);
        assertEquals(List.of(new Stage(0, 0, Branch.BOTH, 1), new Stage(1, 1, Branch.BOTH, 1),
            new Stage(1, 2, Branch.BOTH, 0)), plan.stages());
    }

    @Test
    void strideTwoAsReleasedNeedsNoFurtherDeviceUnlessTheLastComponentFeedsOthers() {
        Plan chain = Strategies.parse("asyncdiff:stride=2").plan(HALVES, "eps", 2, true);
        assertEquals(List.of(new Stage(0, 0, Branch.BOTH, 1), new Stage(1, 1, Branch.BOTH, 0)), chain.stages());
        Plan shell = Strategies.parse("asyncdiff:stride=2").plan(SHELL, "eps", 3, true);
        assertEquals(5, shell.stages().size());
    }

    @Test
    void cfgSplitPutsEachBranchOnItsDevice() {
        Plan plan = Strategies.parse("cfg-split").plan(HALVES, "eps", 2, true);
        assertTrue(plan.stages().stream()
            .allMatch(stage -> (stage.device() == 0) == (stage.branch() == Branch.UNCONDITIONAL)));
        assertTrue(plan.edges().stream().allMatch(edge -> edge.slip() == 0
            && plan.stages().get(edge.from()).branch() == plan.stages().get(edge.to()).branch()));
        assertThrows(PlanException.class, () -> Strategies.parse("cfg-split").plan(HALVES, "eps", 2, false));
        assertThrows(PlanException.class, () -> Strategies.parse("cfg-split").plan(HALVES, "eps", 3, true));
    }
}
