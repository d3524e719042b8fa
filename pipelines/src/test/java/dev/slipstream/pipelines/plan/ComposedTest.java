package dev.slipstream.pipelines.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.plan.Stage.Branch;
import dev.slipstream.pipelines.plan.Strategy.Cutting;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ComposedTest {
    /** A shell around two parts: the first of AsyncDiff's components has the shell's first half, too. */
    private static final List<SegmentOutline> CROSSED = List.of(
        new SegmentOutline("c0+0", 0, List.of("x", "t"), List.of("d")),
        new SegmentOutline("c0+1", 1, List.of("d", "t"), List.of("h")),
        new SegmentOutline("c1+1", 3, List.of("h", "t"), List.of("u")),
        new SegmentOutline("c1+0", 2, List.of("u", "d", "t"), List.of("eps")));
    private static final List<SegmentOutline> WHOLE =
        List.of(new SegmentOutline("unet", 0, List.of("x", "t"), List.of("eps")));

    @Test
    void whatIsPutTogetherIsReadBackTheSame() {
        Strategy all = new CfgSplit().with(AsyncDiff.usual()).with(Cache.usual().withEvery(4));
        assertEquals("cfg-split+asyncdiff:warmup=1+cache:every=4,depth=1,warmup=3", all.spec());
        assertEquals(all, Strategy.parse(all.spec()));
        assertEquals(all, new CfgSplit().with(AsyncDiff.usual().with(Cache.usual().withEvery(4))));
        assertEquals(new CfgSplit().with(Cache.usual().with(new Rounds.At(new TreeSet<>(List.of(0, 4))))),
            Strategy.parse("cfg-split + cache:steps=0+4"));
    }

    @Test
    void devicesMultiplyAndCutsCrossEachOther() {
        Strategy strategy = Strategy.parse("cfg-split+asyncdiff+cache");
        assertEquals(4, strategy.usualDevices());
        assertTrue(strategy.splitsGuidance());
        assertEquals(new Cutting.Crossed(new Cutting.Parts(3, Optional.empty()), new Cutting.Shell(1)),
            strategy.cutting(6));
        assertEquals(6, strategy.cutting(6).components());
        assertEquals(new Cutting.Shell(1), Strategy.parse("cfg-split+cache").cutting(2));
        assertEquals(Cutting.WHOLE, Strategy.parse("cfg-split+guidance").cutting(2));
    }

    @Test
    void roundsAreThoseOfOnePlanAndSlipsThoseOfTheOther() {
        Plan plan = Strategy.parse("asyncdiff:warmup=2+cache:every=3,warmup=1,tail=1").plan(CROSSED, "eps", 2, false);
        assertEquals(List.of(0, 0, 1, 1), plan.stages().stream().map(Stage::device).toList());
        assertEquals(List.of(Rounds.ALL, new Rounds.Every(3), new Rounds.Every(3), Rounds.ALL),
            plan.stages().stream().map(Stage::rounds).toList());
        assertEquals(List.of(new Edge("d", 0, 1, 0), new Edge("h", 1, 2, 1), new Edge("u", 2, 3, 0),
            new Edge("d", 0, 3, 1)), plan.edges());
        assertEquals(new Cadence(2, 1, 1, true, false), plan.cadence());
    }

    @Test
    void eachBranchOfASplitHasDevicesOfItsOwn() {
        Plan plan = Strategy.parse("cfg-split+asyncdiff").plan(List.of(
            new SegmentOutline("a", 0, List.of("x", "t"), List.of("h")),
            new SegmentOutline("b", 1, List.of("h", "t"), List.of("eps"))), "eps", 4, true);
        assertEquals(List.of(new Stage(0, 0, Branch.UNCONDITIONAL, 0), new Stage(0, 2, Branch.CONDITIONAL, 0),
            new Stage(1, 1, Branch.UNCONDITIONAL, 0), new Stage(1, 3, Branch.CONDITIONAL, 0)), plan.stages());
        assertEquals(List.of(new Edge("h", 0, 2, 1), new Edge("h", 1, 3, 1)), plan.edges());
        assertEquals(3, plan.home());
    }

    @Test
    void whereGuidanceIsScheduledEachStageHasOneForTheTextAlone() {
        Plan plan = Strategy.parse("guidance:stop=0.5").plan(WHOLE, "eps", 1, true);
        assertEquals(List.of(Branch.BOTH, Branch.CONDITIONAL), plan.stages().stream().map(Stage::branch).toList());
        assertEquals(1, plan.half(0).orElseThrow());
        assertEquals(0, plan.whole(1).orElseThrow());
        assertEquals(List.of(0), plan.predictors(0));
        assertEquals(List.of(0), plan.synchronousPredictors());
        assertEquals(new GuidanceSchedule(0, 0.5, 1, 0, GuidanceSchedule.Kept.DIFFERENCE), plan.guidance());
    }

    @Test
    void whereNothingIsGuidedAScheduleSaysNothing() {
        Plan plan = Strategy.parse("guidance:stop=0.5").plan(WHOLE, "eps", 1, false);
        assertEquals(new Sequential().plan(WHOLE, "eps", 1, false).stages(), plan.stages());
        assertEquals(GuidanceSchedule.ALWAYS, plan.guidance());
    }

    @Test
    void aSplitNeedsNoFurtherStagesForASchedule() {
        Plan plan = Strategy.parse("cfg-split+guidance:every=2").plan(WHOLE, "eps", 2, true);
        assertEquals(new CfgSplit().plan(WHOLE, "eps", 2, true).stages(), plan.stages());
        assertEquals(new Rounds.Every(2), plan.guidance().rounds());
    }

    @Test
    void whatIsExtrapolatedRunsWhereBothBranchesArePredicted() {
        List<SegmentOutline> segments = List.of(new SegmentOutline("c0", 0, List.of("x", "t"), List.of("h")),
            new SegmentOutline("c1", 1, List.of("h"), List.of("a")),
            new SegmentOutline("c0.1", 0, List.of("a", "h"), List.of("eps")));
        Strategy both = Strategy.parse("cache:part=attention,every=2,form=extrapolate+guidance:steps=0+3");
        Plan plan = both.plan(segments, "eps", 1, true);
        Rounds rounds = plan.stages().stream().filter(stage -> stage.segment() == 1).findFirst().orElseThrow().rounds();
        assertEquals(List.of(0, 2, 3, 4, 6), IntStream.range(0, 8).filter(step -> rounds.includes(step, 8)).boxed()
            .toList());
        assertEquals(both, Strategy.parse(plan.strategy()));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "cache+cache:depth=2 | cache:every=3,depth=1,warmup=3+cache:every=3,depth=2,warmup=3 has two plans of one kind",
        "cfg-split+sequential | sequential says nothing that another plan does not say; leave it out of "
            + "cfg-split+sequential",
        "cache+teleport | there is no plan 'teleport'; there are sequential, cfg-split, asyncdiff, hybridiff, "
            + "cache, guidance, pipefusion, patches; auto, alone, is the one that is predicted to be the fastest",
        "'cache+' | there is no plan ''; there are sequential, cfg-split, asyncdiff, hybridiff, "
            + "cache, guidance, pipefusion, patches; auto, alone, is the one that is predicted to be the fastest",
        "'cache:decide=first-block+guidance' | cache:decide=first-block,threshold=0.1,slip=0,depth=1,warmup=3+"
            + "guidance:start=0,stop=1: when cache:decide=first-block,threshold=0.1,slip=0,depth=1,warmup=3 runs is "
            + "decided in the loop, and only cfg-split goes with that; leave out guidance:start=0,stop=1",
        "guidance:start=2 | guidance: start is a number from 0 to 1, not '2'",
        "guidance:stop=soon | guidance: stop is a number from 0 to 1, not 'soon'",
        "'guidance:start=0.6,stop=0.5' | guidance begins and ends between 0 and 1, in this order, not at 0.6 and 0.5",
        "guidance:keep=all | guidance: keep is unconditional, difference, frequencies or none, not 'all'"})
    void whatMakesNoSenseIsRefusedWithTheReason(String spec, String message) {
        assertEquals(message, assertThrows(PlanException.class, () -> Strategy.parse(spec)).getMessage());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "cfg-split+asyncdiff:n=2 | 3 | cfg-split+asyncdiff:n=2,warmup=1 runs on a multiple of 2 devices, not on 3",
        "cfg-split+cache | 3 | cfg-split+cache:every=3,depth=1,warmup=3 runs on 2 devices, not on 3",
        "cache+guidance | 2 | cache:every=3,depth=1,warmup=3+guidance:start=0,stop=1 runs on 1 device, not on 2"})
    void otherDevicesThanThePlansNeedTogetherAreRefused(String spec, int devices, String message) {
        assertEquals(message, assertThrows(PlanException.class, () -> Strategy.parse(spec).check(devices, true))
            .getMessage());
    }

    @ParameterizedTest
    @CsvSource({"patches:n=2+guidance:every=2, true", "pipefusion+guidance:start=0.2, true",
        "patches:n=2+guidance:stop=0.5, false", "asyncdiff+guidance:every=2, false", "cfg-split+pipefusion, false"})
    void guidanceThatSavesNothingBesidePatchesIsTold(String spec, boolean told) {
        assertEquals(told, Strategy.parse(spec).warnings(50).stream()
            .anyMatch(warning -> warning.contains("only stop saves time")));
    }
}
