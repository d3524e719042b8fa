package dev.slipstream.pipelines.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.SegmentOutline;
import dev.slipstream.pipelines.plan.Strategy.Cutting.Shell;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.program.Decision.Condition;
import dev.slipstream.pipelines.run.program.Instruction;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Region;
import dev.slipstream.pipelines.run.program.Work;
import dev.slipstream.pipelines.run.unroll.Loops;
import dev.slipstream.pipelines.run.unroll.SymbolicMachine;
import dev.slipstream.pipelines.run.unroll.UnrollOptions;
import dev.slipstream.pipelines.run.unroll.Unroller;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the steps of programs have in common. */
class CaptureRegionTest {
    private static final int STEPS = 40;
    private static final int FIRST = 12;
    private static final int END = 36;

    private static Program program(String spec, List<SegmentOutline> segments, int devices, UnrollOptions options) {
        Plan plan = Strategy.parse(spec).plan(segments, "eps", devices, false);
        return Unroller.unroll(plan, Loops.loop(segments, STEPS), options);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"sequential | 1 | 1", "sequential | 2 | 2", "sequential | 3 | 3",
        "asyncdiff:warmup=1 | 2 | 2", "asyncdiff:warmup=3 | 3 | 3", "asyncdiff:warmup=2,tail=3 | 4 | 4",
        "asyncdiff:warmup=1,staleness=reference | 3 | 3", "asyncdiff:warmup=1,stride=2 | 3 | 3",
        "asyncdiff:warmup=1,stride=2,form=paper,n=2 | 2 | 3", "asyncdiff:warmup=1,shift | 2 | 2"})
    void fewGraphsServeAllSteadySteps(String spec, int components, int devices) {
        for (boolean copyStreams : new boolean[] {false, true}) {
            Program program = program(spec, Loops.chain(components), devices,
                new UnrollOptions(copyStreams, false, true, false));
            assertFewGraphs(program);
        }
    }

    @Test
    void shellsNeedFewGraphsToo() {
        assertFewGraphs(program("asyncdiff:warmup=1", Loops.shell(), 2, new UnrollOptions(true, false, true, false)));
        assertFewGraphs(program("asyncdiff:warmup=1,staleness=reference", Loops.shell(), 2,
            new UnrollOptions(false, false, true, false)));
    }

    /** In the steady steps; those of the warm-up and of the tail are others, and each of their graphs is small. */
    private static void assertFewGraphs(Program program) {
        List<CaptureRegion> regions = CaptureRegion.find(program, instruction -> true);
        Map<List<Integer>, Set<CaptureRegion.Content>> byPosition = new HashMap<>();
        Map<List<Integer>, Integer> regionsInStep = new HashMap<>();
        for (CaptureRegion region : regions) {
            int step = program.instructions().get(region.instructions().getFirst()).step();
            if (step < FIRST || step >= END) {
                continue;
            }
            int position = regionsInStep.merge(List.of(region.stream(), step), 1, Integer::sum);
            byPosition.computeIfAbsent(List.of(region.stream(), position), key -> new HashSet<>())
                .add(region.content(program));
        }
        byPosition.forEach((position, contents) ->
            assertTrue(contents.size() <= 4, "stream and position " + position + ": " + contents.size()));
        CaptureStats stats = CaptureRegion.stats(program, regions);
        long runs = program.engineRuns();
        long captured = regions.stream().flatMap(region -> region.instructions().stream())
            .filter(index -> program.instructions().get(index) instanceof Instruction.Launch launch
                && launch.work() instanceof Work.Run).count();
        assertTrue(captured >= runs * 3 / 4, captured + " of " + runs + " runs are captured: " + stats);
        assertTrue(stats.calls() <= stats.instructions(), stats.toString());
    }

    @Test
    void regionsHoldRecurringWorkOfOneStreamAndOneStepWithoutWaitsAndRecordsBetween() {
        Program program = program("asyncdiff:warmup=1", Loops.chain(3), 3,
            new UnrollOptions(false, false, true, false));
        for (CaptureRegion region : CaptureRegion.find(program, instruction -> true)) {
            List<Instruction> content = region.instructions().stream().map(program.instructions()::get).toList();
            assertEquals(1, content.stream().map(Instruction::step).distinct().count());
            assertTrue(content.stream()
                .allMatch(it -> it.stream() == region.stream() && it instanceof Instruction.Launch));
            List<Instruction> between = program.instructions()
                .subList(region.instructions().getFirst(), region.instructions().getLast() + 1).stream()
                .filter(it -> it.stream() == region.stream()).toList();
            assertEquals(content, between);
        }
    }

    /** Either the whole graph is launched or nothing of it; and what comes behind a decision is not queued before. */
    @ParameterizedTest
    @CsvSource({"0", "1"})
    void aRegionHasOneConditionAndDoesNotReachAcrossADecision(int slip) {
        List<SegmentOutline> shell = List.of(
            new SegmentOutline("D", 0, List.of("x", "t"), List.of("d", Shell.ADDED)),
            new SegmentOutline("I", 1, List.of("d", "t"), List.of("i"), Map.of("i", "d"), Map.of(), Set.of()),
            new SegmentOutline("U", 0, List.of("i", "t"), List.of("eps")));
        Program program = program("cache:decide=first-block,warmup=1,slip=" + slip, shell, 1,
            new UnrollOptions(false, false, true, false));
        List<CaptureRegion> regions = CaptureRegion.find(program, launch -> !(launch.work() instanceof Work.Report));
        Set<Optional<Condition>> conditions = new HashSet<>();
        for (CaptureRegion region : regions) {
            List<Instruction> all = program.instructions()
                .subList(region.instructions().getFirst(), region.instructions().getLast() + 1);
            assertTrue(all.stream().noneMatch(Instruction.Decide.class::isInstance));
            Set<Optional<Condition>> here = all.stream().map(it -> ((Instruction.Launch) it).condition())
                .collect(Collectors.toSet());
            assertEquals(1, here.size(), () -> "one condition, not " + here);
            conditions.addAll(here);
        }
        assertEquals(Set.of(Optional.empty(), Optional.of(new Condition(0, true))), conditions,
            "what stands for the part is one kernel, and not worth a graph");
        assertFewGraphs(program);
    }

    @Test
    void streamsThatDoNotCaptureHaveNoRegions() {
        Program program = program("asyncdiff:warmup=1", Loops.chain(2), 2,
            new UnrollOptions(false, false, true, false));
        List<CaptureRegion> some = CaptureRegion.find(program, instruction -> instruction.stream() == 1);
        assertTrue(!some.isEmpty() && some.stream().allMatch(region -> region.stream() == 1));
        assertEquals(List.of(), CaptureRegion.find(program, instruction -> false));
    }

    @Test
    void copiesThatCannotBeCapturedStayOutsideAndTheRestIsCaptured() {
        Program program = program("asyncdiff:warmup=1", Loops.chain(2), 2,
            new UnrollOptions(false, false, true, false));
        List<Work<Region>> captured = CaptureRegion
            .find(program, launch -> !(launch.work() instanceof Work.Copy)).stream()
            .flatMap(region -> region.content(program).works().stream()).toList();
        assertTrue(program.copiedBytes() > 0 && captured.stream().anyMatch(Work.Run.class::isInstance));
        assertTrue(captured.stream().noneMatch(Work.Copy.class::isInstance));
    }

    @Test
    void timestepsBoundAsSlicesMakeEveryRunDifferent() {
        Program program = program("sequential", Loops.chain(2), 1, UnrollOptions.PLAIN);
        assertEquals(0, CaptureRegion.stats(program, CaptureRegion.find(program, instruction -> true)).graphs());
    }

    @Test
    void buffersDoNotGrowWithTheSteps() {
        for (String spec : List.of("sequential", "asyncdiff:warmup=1", "asyncdiff:warmup=1,stride=2")) {
            Plan plan = Strategy.parse(spec).plan(Loops.chain(2), "eps", 2, false);
            UnrollOptions options = new UnrollOptions(true, false, true, true);
            Program program = Unroller.unroll(plan, Loops.loop(Loops.chain(2), 40), options);
            Program longer = Unroller.unroll(plan, Loops.loop(Loops.chain(2), 80), options);
            assertEquals(program.buffers().size(), longer.buffers().size(), spec);
            assertTrue(longer.buffers().size() <= 4 * 8, spec + ": " + longer.buffers().size() + " buffers");
        }
    }

    @Test
    void copiedTimestepsChangeNoFormula() {
        for (String spec : List.of("sequential", "asyncdiff:warmup=1", "asyncdiff:warmup=1,stride=2")) {
            Plan plan = Strategy.parse(spec).plan(Loops.chain(2), "eps", 2, false);
            List<List<String>> formulas = new ArrayList<>();
            for (boolean copied : new boolean[] {false, true}) {
                Program program = Unroller.unroll(plan, Loops.loop(Loops.chain(2), 6),
                    new UnrollOptions(true, false, copied, copied));
                for (int seed = 0; seed < 20; seed++) {
                    formulas.add(new SymbolicMachine(program, plan).run(seed));
                }
            }
            assertEquals(1, new HashSet<>(formulas).size(), spec);
        }
    }
}
