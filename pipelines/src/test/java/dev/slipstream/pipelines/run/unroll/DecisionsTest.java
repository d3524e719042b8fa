package dev.slipstream.pipelines.run.unroll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.plan.Cache;
import dev.slipstream.pipelines.plan.CfgSplit;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.Rounds;
import dev.slipstream.pipelines.plan.SegmentOutline;
import dev.slipstream.pipelines.plan.Strategy.Cutting.Shell;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.program.Decision.Condition;
import dev.slipstream.pipelines.run.program.Instruction;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Work;
import dev.slipstream.pipelines.run.unroll.SymbolicMachine.Outcomes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Programs in which it is decided at each step whether a part runs. */
class DecisionsTest {
    private static final int STEPS = 8;
    private static final int LONGEST = 4000;

    /** The shell D and U with the part I between them, which adds to d. */
    private static final List<SegmentOutline> SHELL = List.of(
        new SegmentOutline("D", 0, List.of("x", "t"), List.of("d", Shell.ADDED)),
        new SegmentOutline("I", 1, List.of("d", "t"), List.of("i"), Map.of("i", "d"), Map.of(), Set.of()),
        new SegmentOutline("U", 0, List.of("i", "t"), List.of("eps")));

    private static Cache cache(int slip, int warmUp, int tail) {
        return Cache.usual().withWarmUp(warmUp).withTail(tail).decidedBy(0.1, slip);
    }

    private static Plan plan(Strategy strategy, List<SegmentOutline> segments, boolean guided) {
        return strategy.plan(segments, "eps", strategy.usualDevices(), guided);
    }

    private static Program unroll(Plan plan, boolean copyStreams) {
        return Unroller.unroll(plan, Loops.loop(plan.segments(), Loops.predictions(STEPS), Guidance.of(3), 1, 4),
            copyStreams);
    }

    /** The method by its definition, for the shell. */
    private static List<String> expected(Set<Integer> runs) {
        String x = "x0";
        String kept = "";
        List<String> latents = new ArrayList<>();
        for (int step = 0; step < STEPS; step++) {
            String d = "D[" + step + "](0.5*" + x + ")";
            String i = "{" + kept + "+" + d + "}";
            if (runs.contains(step)) {
                i = "I[" + step + "](" + d + ")";
                kept = "{" + i + "+-1.0*" + d + "}";
            }
            x = "U[" + step + "](" + i + ")";
            latents.add(x);
        }
        return latents;
    }

    private static Set<Integer> runs(Set<Integer> decided, int slip, int warmUp, int tail) {
        return IntStream.range(0, STEPS).filter(step -> step < warmUp + slip || step >= STEPS - tail
            || decided.contains(step)).boxed().collect(Collectors.toCollection(TreeSet::new));
    }

    @Property(tries = 200)
    void whereAPartRestsItsLastChangeIsAddedToWhatEntersNow(@ForAll("steps") Set<Integer> decided,
        @ForAll @IntRange(min = 0, max = 1) int slip, @ForAll @IntRange(min = 1, max = 3) int warmUp,
        @ForAll @IntRange(min = 0, max = 2) int tail, @ForAll long seed) {
        Plan plan = plan(cache(slip, warmUp, tail), SHELL, false);
        SymbolicMachine machine = new SymbolicMachine(unroll(plan, false), plan, Integer.MAX_VALUE,
            (decision, step) -> decided.contains(step));
        assertEquals(expected(runs(decided, slip, warmUp, tail)), machine.run(seed));
    }

    /** What the first block adds is compared with what it added when the part ran last, before that is renewed. */
    @Property(tries = 100)
    void eachStepIsComparedWithTheLastAtWhichThePartRan(@ForAll("steps") Set<Integer> decided,
        @ForAll @IntRange(min = 0, max = 1) int slip, @ForAll @IntRange(min = 1, max = 3) int warmUp,
        @ForAll long seed) {
        Plan plan = plan(cache(slip, warmUp, 0), SHELL, false);
        SymbolicMachine machine = new SymbolicMachine(unroll(plan, false), plan, Integer.MAX_VALUE,
            (decision, step) -> decided.contains(step));
        List<String> latents = machine.run(seed);
        Set<Integer> runs = runs(decided, slip, warmUp, 0);
        for (int step = warmUp + slip; step < STEPS; step++) {
            int measured = step - slip;
            int last = measured - 1;
            while (!runs.contains(last)) {
                last--;
            }
            assertEquals("change(" + first(latents, measured) + "," + first(latents, last) + ")",
                machine.measures().get(step));
        }
        assertEquals(STEPS - warmUp - slip, machine.measures().size());
    }

    private static String first(List<String> latents, int step) {
        return "D[" + step + "](0.5*" + (step == 0 ? "x0" : latents.get(step - 1)) + ")." + Shell.ADDED;
    }

    @Provide
    Arbitrary<Set<Integer>> steps() {
        return Arbitraries.integers().between(0, STEPS - 1).set().ofMaxSize(STEPS);
    }

    /** A chain of segments of both components, which also read tensors made before. */
    @Provide
    Arbitrary<List<SegmentOutline>> segments() {
        return Arbitraries.integers().between(0, 1).list().ofMinSize(1).ofMaxSize(5)
            .filter(components -> components.contains(1))
            .flatMap(components -> Arbitraries.integers().between(0, 63).list().ofSize(components.size() + 1)
                .map(masks -> segments(components, masks)));
    }

    private static List<SegmentOutline> segments(List<Integer> inner, List<Integer> masks) {
        List<Integer> components = new ArrayList<>(inner);
        components.addFirst(0);
        components.addLast(0);
        List<SegmentOutline> segments = new ArrayList<>();
        for (int i = 0; i < components.size(); i++) {
            List<String> reads = new ArrayList<>(List.of("t", i == 0 ? "x" : "o" + (i - 1)));
            for (int earlier = 0; earlier < i - 1; earlier++) {
                if ((masks.get(i - 1) >> earlier & 1) == 1) {
                    reads.add("o" + earlier);
                }
            }
            segments.add(new SegmentOutline("S" + i, components.get(i), reads, i == components.size() - 1
                ? List.of("eps") : i == 0 ? List.of("o0", Shell.ADDED) : List.of("o" + i)));
        }
        return Loops.withText(segments);
    }

    /** With the last values themselves, a program does whatever is decided what one does that knew it before. */
    @Property(tries = 300)
    void whateverIsDecidedItIsWhatAPlanDoesThatKnewItBefore(@ForAll("segments") List<SegmentOutline> segments,
        @ForAll("steps") Set<Integer> decided, @ForAll @IntRange(min = 0, max = 1) int slip,
        @ForAll @IntRange(min = 1, max = 3) int warmUp, @ForAll @IntRange(min = 0, max = 2) int tail,
        @ForAll boolean split, @ForAll boolean copyStreams, @ForAll boolean copiedTimesteps, @ForAll long seed) {
        Cache cache = Cache.usual().withWarmUp(warmUp).withTail(tail);
        TreeSet<Integer> runs = new TreeSet<>(runs(decided, slip, warmUp, tail));
        Plan known = plan(composed(split, cache.with(new Rounds.At(runs))), segments, true);
        Plan plan = plan(composed(split, cache.decidedBy(0.1, slip)), segments, true);
        Program program = Unroller.unroll(plan, Loops.loop(plan.segments(), Loops.predictions(STEPS), Guidance.of(3), 1,
            4), new UnrollOptions(copyStreams, !copyStreams && !copiedTimesteps, copiedTimesteps, false));
        List<String> expected = new SymbolicMachine(unroll(known, false), known, LONGEST).run(0);
        assertEquals(expected, new SymbolicMachine(program, plan, LONGEST, (decision, step) -> decided.contains(step))
            .run(seed));
        assertTrue(expected.stream().noneMatch(formula -> formula.contains("garbage")), "reads before writing");
    }

    private static Strategy composed(boolean split, Cache cache) {
        return split ? new CfgSplit().with(cache) : cache;
    }

    /** Branches decide apart: any two lists of outcomes are right, in any order of the streams. */
    @Property(tries = 200)
    void noOrderOfTheStreamsChangesAnythingWhateverEachBranchDecides(@ForAll("segments") List<SegmentOutline> segments,
        @ForAll @Size(STEPS) List<Boolean> first, @ForAll @Size(STEPS) List<Boolean> second,
        @ForAll @IntRange(min = 0, max = 1) int slip, @ForAll boolean copyStreams, @ForAll long seed) {
        Plan plan = plan(composed(true, cache(slip, 1, 0)), segments, true);
        Outcomes outcomes = (decision, step) -> (decision == 0 ? first : second).get(step);
        List<String> expected = new SymbolicMachine(unroll(plan, false), plan, LONGEST, outcomes).run(0);
        assertEquals(expected, new SymbolicMachine(unroll(plan, copyStreams), plan, LONGEST, outcomes).run(seed));
        assertTrue(expected.stream().noneMatch(formula -> formula.contains("garbage")), "reads before writing");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void onlyLaunchesHaveAConditionAndAllElseIsThereWhateverIsDecided(int slip) {
        Program program = unroll(plan(composed(true, cache(slip, 2, 0)), SHELL, true), true);
        program.requireRecordsBeforeWaits();
        assertEquals(List.of("I-", "I+"), program.decisions().stream().map(it -> it.stage()).toList());
        long decides = program.instructions().stream().filter(Instruction.Decide.class::isInstance).count();
        assertEquals(2L * (STEPS - 2 - slip), decides);
        List<Instruction.Launch> guarded = program.instructions().stream().filter(Instruction.Launch.class::isInstance)
            .map(Instruction.Launch.class::cast).filter(launch -> launch.condition().isPresent()).toList();
        assertEquals(Set.of(Work.Run.class, Work.Combine.class, Work.Copy.class),
            guarded.stream().map(launch -> launch.work().getClass()).collect(Collectors.toSet()));
        assertFalse(guarded.stream().anyMatch(launch -> launch.step() < 2 + slip));
    }

    /** Each decision comes just before the first launch on its condition, with nothing of its step left to queue. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void theHostDecidesAsLateAsItCan(int slip) {
        Program program = unroll(plan(cache(slip, 2, 0), SHELL, false), false);
        List<Instruction> all = program.instructions();
        for (int index = 0; index < all.size(); index++) {
            if (all.get(index) instanceof Instruction.Decide decide) {
                Optional<Condition> next = all.subList(index + 1, all.size()).stream()
                    .filter(Instruction.Launch.class::isInstance).map(it -> ((Instruction.Launch) it).condition())
                    .findFirst().orElseThrow();
                assertEquals(Optional.of(new Condition(decide.decision(), true)), next);
            }
        }
    }

    /** While the host waits for the number of a step, its stream has the rest of that step and more to do. */
    @Test
    void aDecisionThatIsAStepLateLeavesTheDeviceWorkWhileTheHostWaits() {
        assertEquals(Set.of(0L), runsBetweenReportAndDecision(0), "with slip 0 nothing can be queued");
        assertEquals(Set.of(3L), runsBetweenReportAndDecision(1), "I and U of the step before, and D of this one");
    }

    private static Set<Long> runsBetweenReportAndDecision(int slip) {
        Program program = unroll(plan(cache(slip, 2, 0), SHELL, false), false);
        List<Instruction> all = program.instructions();
        Set<Long> counts = new TreeSet<>();
        for (int index = 0; index < all.size(); index++) {
            if (all.get(index) instanceof Instruction.Decide decide) {
                int record = IntStream.range(0, index).filter(at -> all.get(at) instanceof Instruction.Record it
                    && it.event() == decide.event()).findFirst().orElseThrow();
                counts.add(all.subList(record, index).stream().filter(it -> it instanceof Instruction.Launch launch
                    && launch.work() instanceof Work.Run && it.stream() == decide.stream()).count());
            }
        }
        return counts;
    }

    @Test
    void whereEveryStepIsSynchronousNothingIsDecided() {
        Program program = unroll(plan(cache(1, STEPS, 0), SHELL, false), false);
        assertTrue(program.instructions().stream().noneMatch(Instruction.Decide.class::isInstance));
        assertTrue(program.works().noneMatch(Work.Compare.class::isInstance));
    }
}
