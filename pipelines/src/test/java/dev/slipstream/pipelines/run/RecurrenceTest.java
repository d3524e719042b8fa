package dev.slipstream.pipelines.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.SegmentOutline;
import dev.slipstream.pipelines.plan.Strategies;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the steps of programs have in common. */
class RecurrenceTest {
    private static final int STEPS = 40;
    private static final int FIRST = 12;
    private static final int END = 36;

    private static Program program(String spec, List<SegmentOutline> segments, int devices, UnrollOptions options) {
        Plan plan = Strategies.parse(spec).plan(segments, "eps", devices, false);
        return Unroller.unroll(plan, Loops.loop(segments, STEPS), options);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"sequential | 1 | 1", "sequential | 2 | 2", "sequential | 3 | 3",
        "asyncdiff:warmup=1 | 2 | 2", "asyncdiff:warmup=3 | 3 | 3", "asyncdiff:warmup=2,tail=3 | 4 | 4",
        "asyncdiff:warmup=1,staleness=reference | 3 | 3", "asyncdiff:warmup=1,stride=2 | 3 | 3",
        "asyncdiff:warmup=1,stride=2,form=paper,n=2 | 2 | 3", "asyncdiff:warmup=1,shift | 2 | 2"})
    void fewRecordingsServeAllSteadySteps(String spec, int components, int devices) {
        for (boolean copyStreams : new boolean[] {false, true}) {
            Program program = program(spec, Loops.chain(components), devices,
                new UnrollOptions(copyStreams, true, false));
            assertFewRecordings(program);
        }
    }

    @Test
    void shellsNeedFewRecordingsToo() {
        assertFewRecordings(program("asyncdiff:warmup=1", Loops.shell(), 2, new UnrollOptions(true, true, false)));
        assertFewRecordings(program("asyncdiff:warmup=1,staleness=reference", Loops.shell(), 2,
            new UnrollOptions(false, true, false)));
    }

    /** In the steady steps; those of the warm-up and of the tail are others, and each of their recordings is small. */
    private static void assertFewRecordings(Program program) {
        List<Recurrence.Chunk> chunks = Recurrence.chunks(program, instruction -> true);
        Map<List<Integer>, Set<List<Instruction>>> byPosition = new HashMap<>();
        Map<List<Integer>, Integer> chunksInStep = new HashMap<>();
        for (Recurrence.Chunk chunk : chunks) {
            int step = program.instructions().get(chunk.instructions().getFirst()).step();
            if (step < FIRST || step >= END) {
                continue;
            }
            int position = chunksInStep.merge(List.of(chunk.stream(), step), 1, Integer::sum);
            byPosition.computeIfAbsent(List.of(chunk.stream(), position), key -> new HashSet<>())
                .add(chunk.content(program));
        }
        byPosition.forEach((position, contents) ->
            assertTrue(contents.size() <= 4, "stream and position " + position + ": " + contents.size()));
        Replays replays = Recurrence.summary(program, chunks);
        long runs = program.launches();
        long replayed = chunks.stream().flatMap(chunk -> chunk.instructions().stream())
            .filter(index -> program.instructions().get(index) instanceof Instruction.Run).count();
        assertTrue(replayed >= runs * 3 / 4, replayed + " of " + runs + " runs are replayed: " + replays);
        assertTrue(replays.calls() <= replays.instructions(), replays.toString());
    }

    @Test
    void chunksHoldRecurringWorkOfOneStreamAndOneStepWithoutWaitsAndRecordsBetween() {
        Program program = program("asyncdiff:warmup=1", Loops.chain(3), 3, new UnrollOptions(false, true, false));
        for (Recurrence.Chunk chunk : Recurrence.chunks(program, instruction -> true)) {
            List<Instruction> content = chunk.instructions().stream().map(program.instructions()::get).toList();
            assertEquals(1, content.stream().map(Instruction::step).distinct().count());
            assertTrue(content.stream().allMatch(it -> it.stream() == chunk.stream() && it.isWork()));
            List<Instruction> between = program.instructions()
                .subList(chunk.instructions().getFirst(), chunk.instructions().getLast() + 1).stream()
                .filter(it -> it.stream() == chunk.stream()).toList();
            assertEquals(content, between);
        }
    }

    @Test
    void streamsThatDoNotReplayHaveNoChunks() {
        Program program = program("asyncdiff:warmup=1", Loops.chain(2), 2, new UnrollOptions(false, true, false));
        List<Recurrence.Chunk> some = Recurrence.chunks(program, instruction -> instruction.stream() == 1);
        assertTrue(!some.isEmpty() && some.stream().allMatch(chunk -> chunk.stream() == 1));
        assertEquals(List.of(), Recurrence.chunks(program, instruction -> false));
    }

    @Test
    void copiesThatCannotBeRecordedStayOutsideAndTheRestIsRecorded() {
        Program program = program("asyncdiff:warmup=1", Loops.chain(2), 2, new UnrollOptions(false, true, false));
        List<Instruction> recorded = Recurrence
            .chunks(program, instruction -> !(instruction instanceof Instruction.Copy)).stream()
            .flatMap(chunk -> chunk.instructions().stream()).map(program.instructions()::get).toList();
        assertTrue(program.copiedBytes() > 0 && recorded.stream().anyMatch(Instruction.Run.class::isInstance));
        assertTrue(recorded.stream().noneMatch(Instruction.Copy.class::isInstance));
    }

    @Test
    void timestepsBoundAsSlicesMakeEveryRunDifferent() {
        Program program = program("sequential", Loops.chain(2), 1, UnrollOptions.PLAIN);
        assertEquals(0, Recurrence.summary(program, Recurrence.chunks(program, instruction -> true)).recordings());
    }

    @Test
    void buffersDoNotGrowWithTheSteps() {
        for (String spec : List.of("sequential", "asyncdiff:warmup=1", "asyncdiff:warmup=1,stride=2")) {
            Plan plan = Strategies.parse(spec).plan(Loops.chain(2), "eps", 2, false);
            UnrollOptions options = new UnrollOptions(true, true, true);
            Program program = Unroller.unroll(plan, Loops.loop(Loops.chain(2), 40), options);
            Program longer = Unroller.unroll(plan, Loops.loop(Loops.chain(2), 80), options);
            assertEquals(program.buffers().size(), longer.buffers().size(), spec);
            assertTrue(longer.buffers().size() <= 4 * 8, spec + ": " + longer.buffers().size() + " buffers");
        }
    }

    @Test
    void copiedTimestepsChangeNoFormula() {
        for (String spec : List.of("sequential", "asyncdiff:warmup=1", "asyncdiff:warmup=1,stride=2")) {
            Plan plan = Strategies.parse(spec).plan(Loops.chain(2), "eps", 2, false);
            List<List<String>> formulas = new ArrayList<>();
            for (boolean copied : new boolean[] {false, true}) {
                Program program = Unroller.unroll(plan, Loops.loop(Loops.chain(2), 6),
                    new UnrollOptions(true, copied, copied));
                for (int seed = 0; seed < 20; seed++) {
                    formulas.add(new SymbolicMachine(program, plan).run(seed));
                }
            }
            assertEquals(1, new HashSet<>(formulas).size(), spec);
        }
    }
}
