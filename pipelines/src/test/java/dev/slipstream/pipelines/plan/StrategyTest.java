package dev.slipstream.pipelines.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.plan.Stage.Branch;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StrategyTest {
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
        "asyncdiff:warmup=1,cut=shell,staleness=reference", "cache:every=3,depth=1,warmup=3",
        "cache:steps=0+4+9,depth=0,warmup=1", "patches:warmup=5,norm=corrected", "patches:n=4,warmup=1,norm=stale",
        "patches:n=2,warmup=3,split=columns,tail=1,norm=sync,segments=4",
        "patches:n=8,warmup=5,norm=corrected,portion=0.3,bessel", "patches:n=3,warmup=2,norm=corrected,neighbours",
        "patches:n=2,warmup=2,norm=separate,frozen",
        "cache:every=2,depth=4,warmup=3,tail=2,cut=mine",
        "cache:every=3,first=4,part=attention,form=forecast,order=2,warmup=3",
        "cache:steps=0+1,part=self-attention,form=mean,warmup=1+guidance:start=0,stop=0.5,untold",
        "cache:every=2,part=cross-attention,warmup=3+cache:every=3,part=self-attention,warmup=3",
        "cache:magnitudes=1.0+0.98+1.02,threshold=0.06,most=3,kept=0.2,depth=0,form=residual,warmup=1",
        "cache:decide=first-block,threshold=0.08,slip=1,depth=2,form=replace,warmup=3,tail=1",
        "asyncdiff:n=2,warmup=3,length=5,tail=2", "hybridiff:start=3,length=2,guidance=none,cut=mine",
        "hybridiff:start=12,length=5,guidance=kept",
        "hybridiff:decide=distance,lookback=15,threshold=0.0005,slip=0,latest=40,length=5,guidance=none,cut=mine",
        "guidance:start=0,stop=1,every=2,warmup=0,keep=none",
        "pipefusion:parts=3,patches=4,warmup=2"})
    void whatAStrategyPrintsIsReadBackTheSame(String spec) {
        assertEquals(spec, Strategy.parse(spec).spec());
        assertEquals(Strategy.parse(spec), Strategy.parse(Strategy.parse(spec).spec()));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        ":n=2 | there is no plan ''; there are sequential, cfg-split, asyncdiff, hybridiff, "
            + "cache, guidance, pipefusion, patches; auto, alone, is the one that is predicted to be the fastest",
        "teleport | there is no plan 'teleport'; there are sequential, cfg-split, asyncdiff, hybridiff, "
            + "cache, guidance, pipefusion, patches; auto, alone, is the one that is predicted to be the fastest",
        "sequential:n=2 | sequential takes no settings, not [n]",
        "asyncdiff:warm=1 | asyncdiff has no setting warm; it has n, warmup, length, tail, stride, form, shift, cut, "
            + "staleness",
        "asyncdiff:warmup=soon | asyncdiff: warmup is a whole number from 1 to 10000, not 'soon'",
        "asyncdiff:stride=3 | asyncdiff: stride is 1 or 2, not '3'",
        "asyncdiff:form=other | asyncdiff: form is reuse or paper, not 'other'",
        "asyncdiff:n=1 | asyncdiff: n is a whole number from 2 to 256, not '1'",
        "asyncdiff:n=257 | asyncdiff: n is a whole number from 2 to 256, not '257'",
        "asyncdiff:warmup=0 | asyncdiff: warmup is a whole number from 1 to 10000, not '0'",
        "asyncdiff:tail=-1 | asyncdiff: tail is a whole number from 0 to 10000, not '-1'",
        "asyncdiff:warmup= | asyncdiff: warmup has no value; write warmup=VALUE",
        "asyncdiff:cut | asyncdiff: cut has no value; write cut=VALUE",
        "asyncdiff:shift=maybe | asyncdiff: shift is false or true, not 'maybe'",
        "'asyncdiff:n=2,' | in plan 'asyncdiff:n=2,' a setting is empty; write them like warmup=3,tail=1",
        "asyncdiff: | in plan 'asyncdiff:' a setting is empty; write them like warmup=3,tail=1",
        "asyncdiff:length=0 | asyncdiff: length is a whole number from 1 to 10000, not '0'",
        "hybridiff:warmup=3 | hybridiff has no setting warmup; it has start, length, decide, lookback, threshold, "
            + "slip, latest, guidance, cut",
        "hybridiff:start=0 | hybridiff: start is a whole number from 1 to 10000, not '0'",
        "hybridiff:length=0 | hybridiff: length is a whole number from 1 to 10000, not '0'",
        "hybridiff:guidance=all | hybridiff: guidance is kept or none, not 'all'",
        "hybridiff:decide=likeness | hybridiff: decide is distance, not 'likeness'",
        "hybridiff:decide=distance,start=3 | hybridiff: start and decide both say at which steps; leave one out",
        "hybridiff:latest=3 | hybridiff: latest is for decide=distance",
        "hybridiff:decide=distance,slip=2 | hybridiff: slip is 0 or 1, not '2'",
        "hybridiff:decide=distance,threshold=-1 | hybridiff: threshold is made of numbers of at least 0, not '-1'",
        "hybridiff:decide=distance,lookback=12,latest=13 | hybridiff: with lookback=12 and slip=1 the window begins at "
            + "step 14 at the soonest, so latest is no less, not 13",
        "pipefusion:stages=2 | pipefusion has no setting stages; it has parts, patches, warmup",
        "pipefusion:parts=0 | pipefusion: parts is a whole number from 1 to 256, not '0'",
        "pipefusion:warmup=0 | pipefusion: warmup is a whole number from 1 to 10000, not '0'",
        "cache:evry=2 | cache has no setting evry; it has every, first, steps, magnitudes, calibrated, calibration, "
            + "threshold, most, kept, decide, slip, part, depth, form, order, weight, warmup, tail, cut",
        "cache:decide=second | cache: decide is first-block, not 'second'",
        "cache:decide=first-block,slip=2 | cache: slip is 0 or 1, not '2'",
        "cache:decide=first-block,depth=0 | cache: by the first block is decided whether those behind it run: with "
            + "part=inner, a depth of at least 1 and form=residual or replace, and without cut",
        "cache:decide=first-block,form=forecast | cache: by the first block is decided whether those behind it run: "
            + "with part=inner, a depth of at least 1 and form=residual or replace, and without cut",
        "cache:every=0 | cache: every is a whole number from 1 to 10000, not '0'",
        "cache:steps=x | cache: steps is a whole number from 0 to 10000, not 'x'",
        "'cache:every=2,steps=0' | cache: every and steps both say at which steps; leave one out",
        "cache:part=outer | cache: part is inner, attention, self-attention, cross-attention or all, not 'outer'",
        "cache:form=guess | cache: form is replace, mean, residual, forecast or extrapolate, not 'guess'",
        "cache:magnitudes=x | cache: magnitudes is made of numbers of at least 0, not 'x'",
        "'cache:form=forecast,order=5' | cache: order is a whole number from 1 to 4, not '5'",
        "cache:depth=-1 | cache: depth is a whole number from 0 to 1000, not '-1'",
        "patches:n=1 | patches: n is a whole number from 2 to 256, not '1'",
        "patches:norm=other | patches: norm is corrected, stale, separate or sync, not 'other'",
        "patches:split=diagonal | patches: split is rows or columns, not 'diagonal'",
        "patches:portion=2 | patches: portion is a number from 0 to 1, not '2'",
        "patches:portion=0 | patches: portion is more than 0 and at most 1, not 0.0",
        "'patches:neighbours,split=columns' | patches: portion and neighbours are for patches of rows, not of columns",
        "'patches:frozen,norm=stale' | patches: frozen goes with norm=separate, as nothing is exchanged",
        "patches:warmup=0 | patches: warmup is a whole number from 1 to 10000, not '0'",
        "asyncdiff:n=2,n=3 | in plan 'asyncdiff:n=2,n=3' the setting n is given twice"})
    void whatIsNotUnderstoodIsNamed(String spec, String message) {
        assertEquals(message, assertThrows(PlanException.class, () -> Strategy.parse(spec)).getMessage());
    }

    @Test
    void boundsAreAllowedAndBlanksAroundWordsAreSkipped() {
        assertEquals(new AsyncDiff(256, new Cadence(10_000, 0, 1, true, true), AsyncDiff.Staleness.PIPELINED,
            Optional.of("shell")), Strategy.parse(" asyncdiff : n = 256 , warmup=10000,shift, cut = shell "));
        assertEquals(new AsyncDiff(2, new Cadence(1, 0, 2, false, false), AsyncDiff.Staleness.REFERENCE,
            Optional.empty()), Strategy.parse("asyncdiff:n=2,stride=2,form=paper,shift=false,staleness=reference"));
        assertEquals(new AsyncDiff(0, new Cadence(1, 0, 1, true, false), AsyncDiff.Staleness.PIPELINED,
            Optional.empty()), Strategy.parse("asyncdiff"));
    }

    @Test
    void aCacheRunsItsInnerPartInRoundsOfItsOwn() {
        List<SegmentOutline> shell = List.of(new SegmentOutline("c0.0", 0, List.of("x", "t"), List.of("h", "skip")),
            new SegmentOutline("c1", 1, List.of("h", "t"), List.of("up")),
            new SegmentOutline("c0.1", 0, List.of("up", "skip", "t"), List.of("eps")));
        Plan plan = Strategy.parse("cache:every=3,warmup=2").plan(shell, "eps", 1, true);
        assertEquals(List.of(Rounds.ALL, new Rounds.Every(3), Rounds.ALL),
            plan.stages().stream().map(Stage::rounds).toList());
        Edge up = plan.edges().stream().filter(edge -> edge.tensor().equals("up")).findFirst().orElseThrow();
        Edge skip = plan.edges().stream().filter(edge -> edge.tensor().equals("skip")).findFirst().orElseThrow();
        // The second step is of the warm-up.
        assertEquals(List.of(1, 3, 3, 3, 6), IntStream.rangeClosed(2, 6).mapToObj(step -> plan.madeAt(up, step, 9))
            .toList());
        assertEquals(5, plan.madeAt(skip, 5, 9));
    }

    @Test
    void aCacheRunsOnOneDevice() {
        assertEquals("cache runs on 1 device, not on 2", assertThrows(PlanException.class,
            () -> Strategy.parse("cache").check(2, true)).getMessage());
        assertEquals(1, Strategy.parse("cache").usualDevices());
        assertEquals(Strategy.parse("cache:every=5,depth=2"), Cache.usual().withEvery(5).withDepth(2));
    }

    @Test
    void moreDevicesThanComponentsAreRefused() {
        String message = assertThrows(PlanException.class,
            () -> Strategy.parse("asyncdiff:n=2").plan(HALVES, "eps", 3, true)).getMessage();
        assertTrue(message.contains("at most 2 devices, not 3"), message);
    }

    /** Such as a ControlNet: the halves with a module that both read, and that is in no component. */
    private static final List<SegmentOutline> CONTROLLED = List.of(
        new SegmentOutline("control", -1, List.of("x", "t"), List.of("r")),
        new SegmentOutline("c0", 0, List.of("x", "r", "t"), List.of("h")),
        new SegmentOutline("c1", 1, List.of("h", "r", "t"), List.of("eps")));

    @Test
    void whatIsInNoComponentNeverLags() {
        Plan plan = Strategy.parse("asyncdiff:n=2").plan(CONTROLLED, "eps", 2, true);
        assertEquals(List.of(new Stage(0, 1, Branch.BOTH, 0), new Stage(1, 0, Branch.BOTH, 0),
            new Stage(2, 1, Branch.BOTH, 0)), plan.stages());
        assertEquals(List.of(new Edge("r", 0, 1, 0), new Edge("h", 1, 2, 1), new Edge("r", 0, 2, 0)), plan.edges());
    }

    @Test
    void whatIsInNoComponentMayHaveADeviceOfItsOwn() {
        Plan plan = Strategy.parse("asyncdiff:n=2").plan(CONTROLLED, "eps", 3, true);
        assertEquals(List.of(2, 0, 1), plan.stages().stream().map(Stage::device).toList());
        assertThrows(PlanException.class, () -> Strategy.parse("asyncdiff:n=2").plan(CONTROLLED, "eps", 4, true));
        assertEquals(List.of(1, 0, 1), Strategy.parse("sequential").plan(CONTROLLED, "eps", 2, true).stages().stream()
            .map(Stage::device).toList());
    }

    @Test
    void asyncDiffLagsEdgesBetweenDevicesByOne() {
        Plan plan = Strategy.parse("asyncdiff").plan(HALVES, "eps", 2, true);
        assertEquals(List.of(new Stage(0, 0, Branch.BOTH, 0), new Stage(1, 1, Branch.BOTH, 0)), plan.stages());
        assertEquals(List.of(new Edge("h", 0, 1, 1)), plan.edges());
        assertEquals(1, plan.home());
    }

    @Test
    void aPipelinedShellLagsOnlyWhatComesBack() {
        assertEquals(List.of(new Edge("d", 0, 1, 0), new Edge("i", 1, 2, 1), new Edge("skip", 0, 2, 0)),
            Strategy.parse("asyncdiff").plan(SHELL, "eps", 2, true).edges());
        assertEquals(List.of(new Edge("d", 0, 1, 1), new Edge("i", 1, 2, 1), new Edge("skip", 0, 2, 0)),
            Strategy.parse("asyncdiff:staleness=reference").plan(SHELL, "eps", 2, true).edges());
    }

    @Test
    void strideTwoInThePapersFormHasTheLastComponentTwice() {
        Plan plan = Strategy.parse("asyncdiff:stride=2,form=paper").plan(HALVES, "eps", 3, true);
        assertEquals(List.of(new Stage(0, 0, Branch.BOTH, 1), new Stage(1, 1, Branch.BOTH, 1),
            new Stage(1, 2, Branch.BOTH, 0)), plan.stages());
    }

    @Test
    void strideTwoAsReleasedNeedsNoFurtherDeviceUnlessTheLastComponentFeedsOthers() {
        Plan chain = Strategy.parse("asyncdiff:stride=2").plan(HALVES, "eps", 2, true);
        assertEquals(List.of(new Stage(0, 0, Branch.BOTH, 1), new Stage(1, 1, Branch.BOTH, 0)), chain.stages());
        Plan shell = Strategy.parse("asyncdiff:stride=2").plan(SHELL, "eps", 3, true);
        assertEquals(5, shell.stages().size());
    }

    @Test
    void plansThatLiveOnLikenessSayWhereThereIsLittle() {
        assertEquals(List.of(), Strategy.parse("asyncdiff:warmup=3").warnings(50));
        assertEquals(List.of(), Strategy.parse("cfg-split").warnings(1));
        assertTrue(Strategy.parse("cfg-split+cache:warmup=3").warnings(4).getFirst().startsWith("with 4 steps"));
        String exact = Strategy.parse("asyncdiff:warmup=3,tail=1").warnings(4).getFirst();
        assertTrue(exact.startsWith("all 4 steps of plan asyncdiff:warmup=3,tail=1 are synchronous"), exact);
    }
}
