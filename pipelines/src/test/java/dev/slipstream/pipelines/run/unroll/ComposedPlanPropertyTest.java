package dev.slipstream.pipelines.run.unroll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.plan.AsyncDiff;
import dev.slipstream.pipelines.plan.Cache;
import dev.slipstream.pipelines.plan.CfgSplit;
import dev.slipstream.pipelines.plan.Edge;
import dev.slipstream.pipelines.plan.GuidanceSchedule;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.RandomPlans;
import dev.slipstream.pipelines.plan.SegmentOutline;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.program.Program;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Plans put together of any others: programs keep their promises for these, too. */
class ComposedPlanPropertyTest {
    private static final int STEPS = 7;
    private static final int LONGEST = 4000;
    /** As many as the largest cut has that the strategies here ask for. */
    private static final int COMPONENTS = 4;

    /** A chain in which each segment also reads some of the tensors made before. */
    @Provide
    Arbitrary<UnrollOptions> options() {
        return Arbitraries.of(Loops.OPTIONS);
    }

    @Provide
    Arbitrary<List<SegmentOutline>> segments() {
        return Arbitraries.integers().between(0, COMPONENTS - 1).list().ofMinSize(2).ofMaxSize(6)
            .filter(components -> components.stream().map(component -> component / 2).distinct().count() == 2
                && components.stream().map(component -> component % 2).distinct().count() == 2)
            .flatMap(components -> Arbitraries.integers().between(0, (1 << components.size()) - 1).list()
                .ofSize(components.size()).map(masks -> Loops.reading(components, masks)));
    }

    @Provide
    Arbitrary<Strategy> strategies() {
        return RandomPlans.composed(RandomPlans.cfgSplit(), RandomPlans.asyncDiff(2, 2),
            RandomPlans.cache(Cache.Part.INNER), RandomPlans.guidance());
    }

    private static Plan plan(Strategy strategy, List<SegmentOutline> segments) {
        int components = strategy.cutting(strategy.usualDevices()).components();
        List<SegmentOutline> cut = new ArrayList<>(segments.stream().map(segment -> new SegmentOutline(segment.name(),
            segment.component() % components, segment.reads(), segment.writes())).toList());
        if (strategy.partsFrequencies()) {
            cut.add(new SegmentOutline("low", cut.getLast().component(), List.of("eps"), List.of("eps.low")));
        }
        return strategy.plan(cut, "eps", strategy.usualDevices(), true);
    }

    private static Program unroll(Plan plan, UnrollOptions options) {
        return Unroller.unroll(plan, Loops.loop(plan.segments(), Loops.predictions(STEPS), Guidance.of(3), 1, 4),
            options);
    }

    private static List<String> formulas(Plan plan, UnrollOptions options, long seed) {
        return new SymbolicMachine(unroll(plan, options), plan, LONGEST).run(seed);
    }

    @Property(tries = 300)
    void noOrderOfTheStreamsChangesAnything(@ForAll("segments") List<SegmentOutline> segments,
        @ForAll("strategies") Strategy strategy, @ForAll("options") UnrollOptions options, @ForAll long seed) {
        Plan plan = plan(strategy, segments);
        List<String> expected = formulas(plan, UnrollOptions.PLAIN, 0);
        assertEquals(expected, formulas(plan, options, seed));
        assertTrue(expected.stream().noneMatch(formula -> formula.contains("garbage")), "reads before writing");
    }

    @Property(tries = 200)
    void whatLagsMayAlsoBeContinued(@ForAll("segments") List<SegmentOutline> segments,
        @ForAll("strategies") Strategy strategy, @ForAll("options") UnrollOptions options, @ForAll long seed) {
        Plan plan = plan(strategy, segments);
        List<Edge> edges = plan.edges().stream().map(edge -> new Edge(edge.tensor(), edge.from(), edge.to(),
            edge.slip(), edge.tensor().hashCode() % 2 == 0 ? new Edge.Form.Forecast(2) : edge.form())).toList();
        Plan continued = new Plan(plan.strategy(), plan.devices(), plan.segments(), plan.stages(), edges,
            plan.cadence(), plan.prediction(), new Edge.Form.Forecast(1), plan.guidance());
        List<String> expected = formulas(continued, UnrollOptions.PLAIN, 0);
        assertEquals(expected, formulas(continued, options, seed));
        assertTrue(expected.stream().noneMatch(formula -> formula.contains("garbage")), "reads before writing");
    }

    @Property(tries = 100)
    void theOrderInWhichPlansArePutTogetherMovesDevicesOnly(@ForAll("segments") List<SegmentOutline> segments,
        @ForAll("pairs") List<Strategy> pair, @ForAll long seed) {
        assertEquals(formulas(plan(pair.getFirst().with(pair.getLast()), segments), Loops.OPTIONS.get(1), seed),
            formulas(plan(pair.getLast().with(pair.getFirst()), segments), Loops.OPTIONS.get(1), seed));
    }

    /** Those of which at most one cuts the denoiser, as the order is that of the components, too. */
    @Provide
    Arbitrary<List<Strategy>> pairs() {
        Arbitrary<Strategy> cutting = Arbitraries.of(AsyncDiff.usual().withWarmUp(2), Cache.usual().withEvery(2));
        Arbitrary<Strategy> whole = Arbitraries.of(new CfgSplit(), GuidanceSchedule.ALWAYS.within(0.3, 0.8),
            GuidanceSchedule.ALWAYS.withEvery(2));
        return Combinators.combine(cutting, whole).as(List::of);
    }
}
