package dev.slipstream.pipelines.run.unroll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.plan.Hybridiff;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.SegmentOutline;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.program.Instruction;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Work;
import dev.slipstream.pipelines.run.unroll.SymbolicMachine.Outcomes;
import java.util.ArrayList;
import java.util.List;
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

/** Programs in which it is decided where the window between two branches begins. */
class WindowDecisionsTest {
    private static final int STEPS = 9;
    private static final int LONGEST = 4000;

    /** A window that may begin from step {@code lookback + 1 + slip} to {@code latest}. */
    private static Hybridiff decided(int lookback, int slip, int latest, int length, Hybridiff.Guidance guidance) {
        return Hybridiff.usual().within(latest, length).with(guidance)
            .decidedBy(new Hybridiff.Decided(lookback, 0.1, slip), latest);
    }

    private static Plan plan(Strategy strategy, List<SegmentOutline> segments) {
        return strategy.plan(segments, "eps", 2, true);
    }

    private static Program unroll(Plan plan, Guidance guidance, UnrollOptions options) {
        return Unroller.unroll(plan, Loops.loop(plan.segments(), Loops.predictions(STEPS), guidance, 1, 4), options);
    }

    private static Program unroll(Plan plan) {
        return unroll(plan, Guidance.of(3), new UnrollOptions(true, false, false, false));
    }

    private static Outcomes window(int begin, int length) {
        return (decision, step) -> step >= begin && step < begin + length;
    }

    @Provide
    Arbitrary<UnrollOptions> options() {
        List<UnrollOptions> all = new ArrayList<>(Loops.OPTIONS);
        all.add(new UnrollOptions(true, false, true, true));
        all.add(new UnrollOptions(false, false, true, false));
        return Arbitraries.of(all);
    }

    @Provide
    Arbitrary<Guidance> guidance() {
        return Arbitraries.of(Guidance.of(3), new Guidance(3, 0.7), Guidance.growing(1, 3, 2));
    }

    /** Segments of two components in any order, each reading some of the tensors made before. */
    @Provide
    Arbitrary<List<SegmentOutline>> segments() {
        return Arbitraries.integers().between(0, 1).list().ofMinSize(2).ofMaxSize(5)
            .filter(components -> components.stream().distinct().count() > 1)
            .flatMap(components -> Arbitraries.integers().between(0, 31).list().ofSize(components.size())
                .map(masks -> Loops.reading(components, masks)));
    }

    /** Whatever step it is; also if the loop ends in the window, or before it. */
    @Property(tries = 400)
    void whereverTheWindowBeginsItIsThatOfAPlanThatKnewItBefore(@ForAll("segments") List<SegmentOutline> segments,
        @ForAll @IntRange(min = 1, max = 3) int lookback, @ForAll @IntRange(min = 0, max = 1) int slip,
        @ForAll @IntRange(min = 0, max = 5) int later, @ForAll @IntRange(min = 0, max = 5) int room,
        @ForAll @IntRange(min = 1, max = 3) int length, @ForAll Hybridiff.Guidance kept,
        @ForAll("guidance") Guidance guidance, @ForAll("options") UnrollOptions options, @ForAll long seed) {
        int begin = lookback + 1 + slip + later;
        Plan known = plan(Hybridiff.usual().within(begin, length).with(kept), segments);
        Plan plan = plan(decided(lookback, slip, begin + room, length, kept), segments);
        List<String> expected = new SymbolicMachine(unroll(known, guidance, UnrollOptions.PLAIN), known, LONGEST)
            .run(0);
        assertEquals(expected, new SymbolicMachine(unroll(plan, guidance, options), plan, LONGEST,
            window(begin, length)).run(seed));
        assertTrue(expected.stream().noneMatch(formula -> formula.contains("garbage")), "reads before writing");
    }

    /** Nothing hangs on how often a loop goes in and out. */
    @Property(tries = 200)
    void noOrderOfTheStreamsChangesAnythingWhateverIsDecided(@ForAll("segments") List<SegmentOutline> segments,
        @ForAll @Size(STEPS) List<Boolean> outcomes, @ForAll @IntRange(min = 0, max = 1) int slip,
        @ForAll Hybridiff.Guidance kept, @ForAll("options") UnrollOptions options, @ForAll long seed) {
        Plan plan = plan(decided(1, slip, 5, 3, kept), segments);
        Outcomes decided = (decision, step) -> outcomes.get(step);
        Program program = unroll(plan, Guidance.of(3), options);
        List<String> expected = new SymbolicMachine(unroll(plan), plan, LONGEST, decided).run(0);
        assertEquals(expected, new SymbolicMachine(program, plan, LONGEST, decided).run(seed));
        assertTrue(expected.stream().noneMatch(formula -> formula.contains("garbage")), "reads before writing");
        assertEquals(List.of(), Races.in(program));
    }

    /** Of each step outside the window; the first decision needs those of all steps before. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void itIsDecidedByTheDistanceOfTheTwoPredictions(int slip) {
        Plan plan = plan(decided(2, slip, 6, 2, Hybridiff.Guidance.KEPT), Loops.withText(Loops.chain(2)));
        SymbolicMachine machine = new SymbolicMachine(unroll(plan), plan, Integer.MAX_VALUE, window(5, 2));
        List<String> latents = machine.run(0);
        List<String> distances = IntStream.range(0, 5).mapToObj(step -> {
            String first = "C0[" + step + "](0.5*" + (step == 0 ? "x0" : latents.get(step - 1)) + ",text";
            return "change(C1[" + step + "](" + first + "+1)),C1[" + step + "](" + first + ")))";
        }).toList();
        int earliest = 3 + slip;
        assertEquals(String.join("; ", distances.subList(0, 3)), machine.measures().get(earliest));
        assertEquals(distances.get(3), machine.measures().get(earliest + 1));
        assertEquals("nothing", machine.measures().get(6 + slip), "step 5 is in the window");
        assertEquals(IntStream.range(earliest, 8).boxed().collect(Collectors.toSet()), machine.measures().keySet());
    }

    /** What a step of the window runs is queued while those before it run, so no device runs dry. */
    @Test
    void aWindowThatIsAStepLateLeavesTheDevicesAStepWhileTheHostWaits() {
        assertEquals(Set.of(0L), runsBetweenReportAndDecision(0), "right behind it nothing can be queued");
        assertEquals(Set.of(4L, 6L), runsBetweenReportAndDecision(1), "both branches; from then on the window, too");
    }

    private static Set<Long> runsBetweenReportAndDecision(int slip) {
        Plan plan = plan(decided(2, slip, 5, 3, Hybridiff.Guidance.KEPT), Loops.withText(Loops.chain(2)));
        List<Instruction> all = unroll(plan).instructions();
        Set<Long> counts = new TreeSet<>();
        for (int index = 0; index < all.size(); index++) {
            if (all.get(index) instanceof Instruction.Decide decide) {
                int record = IntStream.range(0, index).filter(at -> all.get(at) instanceof Instruction.Record it
                    && it.event() == decide.event()).findFirst().orElseThrow();
                counts.add(all.subList(record, index).stream().filter(it -> it instanceof Instruction.Launch launch
                    && launch.work() instanceof Work.Run).count());
            }
        }
        return counts;
    }

    /**
     * Outside the window nothing crosses that does not in cfg-split, and in it nothing of the other branch. What step 7
     * makes is read by no window, as there is none behind it.
     */
    @Test
    void whatADeviceSendsInOneCaseIsNotSentInTheOther() {
        Plan plan = plan(decided(2, 1, 5, 3, Hybridiff.Guidance.KEPT), Loops.withText(Loops.chain(2)));
        Program program = unroll(plan);
        List<Instruction.Launch> open = program.instructions().stream().filter(it -> it instanceof Instruction.Launch
            launch && plan.isOpen(launch.step(), STEPS) && program.isBetweenDevices(launch.work()))
            .map(Instruction.Launch.class::cast).toList();
        assertEquals(List.of(4, 5, 6, 7), IntStream.range(0, STEPS).filter(step -> plan.isOpen(step, STEPS)).boxed()
            .toList());
        for (int step = 4; step < 7; step++) {
            int at = step;
            assertEquals(List.of("always", "false", "true"), open.stream().filter(launch -> launch.step() == at)
                .map(launch -> launch.condition().map(it -> String.valueOf(it.outcome())).orElse("always")).toList(),
                "the latents; the prediction without the text; what the window's first component made");
        }
    }

    @Test
    void aLoopThatEndsBeforeDecidesNothing() {
        Plan plan = plan(decided(8, 0, 12, 3, Hybridiff.Guidance.KEPT), Loops.withText(Loops.chain(2)));
        Program program = unroll(plan);
        assertTrue(program.instructions().stream().noneMatch(Instruction.Decide.class::isInstance));
        assertTrue(program.works().noneMatch(Work.Compare.class::isInstance));
    }
}
