package dev.slipstream.pipelines.run.unroll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.plan.AsyncDiff.Staleness;
import dev.slipstream.pipelines.plan.AsyncDiff;
import dev.slipstream.pipelines.plan.Cadence;
import dev.slipstream.pipelines.plan.CfgSplit;
import dev.slipstream.pipelines.plan.Hybridiff;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.RandomPlans;
import dev.slipstream.pipelines.plan.Rounds;
import dev.slipstream.pipelines.plan.SegmentOutline;
import dev.slipstream.pipelines.plan.Sequential;
import dev.slipstream.pipelines.plan.Stage;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.program.Instruction;
import dev.slipstream.pipelines.run.program.Program;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

/** Whatever the segments and the plan, programs keep their promises. */
class ProgramPropertyTest {
    private static final int STEPS = 6;

    /** Segments of two or three components in any interleaving, each reading some of the tensors made before. */
    @Provide
    Arbitrary<UnrollOptions> options() {
        return Arbitraries.of(Loops.OPTIONS);
    }

    @Provide
    Arbitrary<List<SegmentOutline>> segments() {
        return Arbitraries.integers().between(0, 2).list().ofMinSize(2).ofMaxSize(6)
            .filter(components -> components.stream().distinct().count() > 1)
            .flatMap(components -> Arbitraries.integers().between(0, (1 << components.size()) - 1).list()
                .ofSize(components.size()).map(masks -> segments(components, masks)));
    }

    private static List<SegmentOutline> segments(List<Integer> components, List<Integer> masks) {
        List<Integer> distinct = components.stream().distinct().toList();
        List<SegmentOutline> segments = new ArrayList<>();
        for (int i = 0; i < components.size(); i++) {
            List<String> reads = new ArrayList<>(List.of("t"));
            reads.add(i == 0 ? "x" : "o" + (i - 1));
            for (int earlier = 0; earlier < i - 1; earlier++) {
                if ((masks.get(i) >> earlier & 1) == 1) {
                    reads.add("o" + earlier);
                }
            }
            segments.add(new SegmentOutline("S" + i, distinct.indexOf(components.get(i)), reads,
                List.of(i == components.size() - 1 ? "eps" : "o" + i)));
        }
        return segments;
    }

    @Provide
    Arbitrary<AsyncDiff> strategies() {
        Arbitrary<Cadence> cadences = Combinators.combine(Arbitraries.integers().between(1, 4),
            Arbitraries.integers().between(0, 2), Arbitraries.integers().between(1, 2), Arbitraries.of(true, false),
            Arbitraries.of(true, false)).as(Cadence::new);
        return Combinators.combine(cadences, Arbitraries.of(Staleness.class))
            .as((cadence, staleness) -> new AsyncDiff(9, cadence, staleness, Optional.empty()));
    }

    /** Exact outside the window, in which only what knows the text runs, component by component. */
    @Property(tries = 200)
    void noOrderOfTheStreamsChangesAWindowBetweenBranches(@ForAll("segments") List<SegmentOutline> segments,
        @ForAll("hybrids") Hybridiff strategy, @ForAll boolean copyStreams, @ForAll long seed) {
        List<SegmentOutline> halves = segments.stream().map(it ->
            new SegmentOutline(it.name(), it.component() % 2, it.reads(), it.writes())).toList();
        Plan plan = strategy.plan(Loops.withText(halves), "eps", 2, true);
        Program program = Unroller.unroll(plan, Loops.loop(plan.segments(), Loops.predictions(STEPS), Guidance.of(3),
            1, 4), copyStreams);
        List<String> expected = new SymbolicMachine(program, plan, 2000).run(0);
        assertEquals(expected, new SymbolicMachine(program, plan, 2000).run(seed));
        assertTrue(expected.stream().noneMatch(formula -> formula.contains("garbage")), "reads before writing");
        Plan split = new CfgSplit().plan(plan.segments(), "eps", 2, true);
        List<String> exact = new SymbolicMachine(Unroller.unroll(split, Loops.loop(plan.segments(),
            Loops.predictions(STEPS), Guidance.of(3), 1, 4), copyStreams), split, 2000).run(seed);
        int exactSteps = Math.min(STEPS, strategy.cadence().warmUp());
        assertEquals(exact.subList(0, exactSteps), expected.subList(0, exactSteps));
    }

    @Provide
    Arbitrary<Hybridiff> hybrids() {
        return RandomPlans.hybridiff();
    }

    /** Every stage in rounds of its own, and edges that lag besides, as no strategy has them yet. */
    @Provide
    Arbitrary<List<Rounds>> rounds() {
        Arbitrary<Rounds> every = Arbitraries.integers().between(1, 4).map(Rounds.Every::new);
        Arbitrary<Rounds> at = Arbitraries.integers().between(0, STEPS - 1).set().ofMaxSize(STEPS)
            .map(steps -> new Rounds.At(new TreeSet<>(steps)));
        return Arbitraries.oneOf(every, at).list().ofSize(6);
    }

    private static Plan withRounds(Plan plan, List<Rounds> rounds) {
        List<Stage> stages = new ArrayList<>();
        for (Stage stage : plan.stages()) {
            boolean predicts = plan.segments().get(stage.segment()).writes().contains(plan.prediction());
            stages.add(new Stage(stage.segment(), stage.device(), stage.branch(), stage.lead(),
                predicts ? Rounds.ALL : rounds.get(stage.segment())));
        }
        return new Plan(plan.strategy(), plan.devices(), plan.segments(), stages, plan.edges(), plan.cadence(),
            plan.prediction());
    }

    @Property(tries = 200)
    void noOrderOfTheStreamsChangesAnythingWhereStagesHaveRoundsOfTheirOwn(
        @ForAll("segments") List<SegmentOutline> segments, @ForAll("strategies") AsyncDiff strategy,
        @ForAll("rounds") List<Rounds> rounds, @ForAll @IntRange(min = 1, max = 2) int devices,
        @ForAll("options") UnrollOptions options, @ForAll long seed) {
        Plan plan = withRounds(strategy.plan(segments, "eps", devices, false), rounds);
        List<String> expected = new SymbolicMachine(unroll(plan, false), plan).run(0);
        assertEquals(expected, new SymbolicMachine(unroll(plan, options), plan).run(seed));
        assertTrue(expected.stream().noneMatch(formula -> formula.contains("garbage")), "reads before writing");
    }

    @Property(tries = 100)
    void roundsAtEveryStepChangeNothing(@ForAll("segments") List<SegmentOutline> segments,
        @ForAll("strategies") AsyncDiff strategy, @ForAll long seed) {
        Plan plan = strategy.plan(segments, "eps", 2, false);
        List<Rounds> all = Collections.nCopies(6, new Rounds.At(new TreeSet<>(IntStream.range(0, STEPS).boxed()
            .toList())));
        assertEquals(new SymbolicMachine(unroll(plan, true), plan).run(seed),
            new SymbolicMachine(unroll(withRounds(plan, all), true), plan).run(seed));
    }

    private static Program unroll(Plan plan, UnrollOptions options) {
        return Unroller.unroll(plan, Loops.loop(plan.segments(), STEPS), options);
    }

    private static Program unroll(Plan plan, boolean copyStreams) {
        return Unroller.unroll(plan, Loops.loop(plan.segments(), STEPS), copyStreams);
    }

    @Property(tries = 300)
    void noOrderOfTheStreamsChangesAnything(@ForAll("segments") List<SegmentOutline> segments,
        @ForAll("strategies") Strategy strategy, @ForAll @IntRange(min = 1, max = 2) int devices,
        @ForAll("options") UnrollOptions options, @ForAll long seed) {
        Plan plan = strategy.plan(segments, "eps", devices, false);
        List<String> expected = new SymbolicMachine(unroll(plan, false), plan).run(0);
        assertEquals(expected, new SymbolicMachine(unroll(plan, options), plan).run(seed));
        assertTrue(expected.stream().noneMatch(formula -> formula.contains("garbage")), "reads before writing");
    }

    @Property(tries = 200)
    void estimatesAreMadeOfTheLatentsAndThePredictionOfTheirStep(@ForAll("segments") List<SegmentOutline> segments,
        @ForAll("strategies") Strategy strategy, @ForAll @IntRange(min = 1, max = 2) int devices,
        @ForAll("options") UnrollOptions options, @ForAll @IntRange(min = 1, max = STEPS) int every,
        @ForAll long seed) {
        Plan plan = strategy.plan(segments, "eps", devices, false);
        SymbolicMachine machine =
            new SymbolicMachine(Unroller.unroll(plan, Loops.loop(segments, STEPS, every), options), plan);
        List<String> predictions = machine.run(seed);
        Map<Integer, String> expected = new HashMap<>();
        for (int step = every - 1; step < STEPS - 1; step += every) {
            String latents = step == 0 ? "x0" : predictions.get(step - 1);
            expected.put(step, "{2.0*" + latents + "+-1.0*" + predictions.get(step) + "}");
        }
        assertEquals(expected, machine.estimates());
    }

    @Property(tries = 100)
    void whereEveryStepIsSynchronousThePlanIsExact(@ForAll("segments") List<SegmentOutline> segments,
        @ForAll("strategies") AsyncDiff strategy, @ForAll long seed) {
        Plan alone = new Sequential().plan(segments, "eps", 1, false);
        Cadence synchronous = new Cadence(STEPS, 0, strategy.cadence().stride(), strategy.cadence().reuse(), false);
        Plan plan = new AsyncDiff(9, synchronous, strategy.staleness(), Optional.empty())
            .plan(segments, "eps", 2, false);
        assertEquals(new SymbolicMachine(unroll(alone, false), alone).run(0),
            new SymbolicMachine(unroll(plan, true), plan).run(seed));
    }

    @Property(tries = 100)
    void everyInstructionIsQueuedAfterWhatItWaitsFor(@ForAll("segments") List<SegmentOutline> segments,
        @ForAll("strategies") Strategy strategy) {
        Program program = unroll(strategy.plan(segments, "eps", 2, false), true);
        boolean[] recorded = new boolean[program.events()];
        int step = 0;
        for (Instruction instruction : program.instructions()) {
            assertTrue(instruction.step() >= step, "steps ascend");
            step = instruction.step();
            if (instruction instanceof Instruction.Record record) {
                recorded[record.event()] = true;
            } else if (instruction instanceof Instruction.Wait wait) {
                assertTrue(recorded[wait.event()], "event " + wait.event() + " is waited for before it is recorded");
            }
        }
    }
}
