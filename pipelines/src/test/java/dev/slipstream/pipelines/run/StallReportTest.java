package dev.slipstream.pipelines.run;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.pipelines.run.program.Instruction;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Program.BufferSpec;
import dev.slipstream.pipelines.run.program.Program.StreamSpec;
import dev.slipstream.pipelines.run.program.Region;
import dev.slipstream.pipelines.run.program.Work;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/** Who waits for whom, worked out from nothing but which events are done. */
class StallReportTest {
    private static final Region REGION = new Region(0, 0, 4);
    private static final LoopNames NAMES =
        new LoopNames(List.of("cpu:0", "cpu:1", "cpu:2"), List.of("unet/down", "unet/mid", "unet/up"));

    private static Instruction run(int stream, int step, int stage) {
        return new Instruction.Launch(stream, step, new Work.Run<>(stage, Map.of(), Map.of()));
    }

    private static Instruction copy(int stream, int step) {
        return new Instruction.Launch(stream, step, new Work.Copy<>(REGION, REGION));
    }

    private static Instruction.Record record(int stream, int step, int event) {
        return new Instruction.Record(stream, step, event);
    }

    private static Instruction.Wait await(int stream, int step, int event) {
        return new Instruction.Wait(stream, step, event);
    }

    private static StallReport report(Set<Integer> done, Instruction... instructions) {
        Program program = new Program(
            List.of(new StreamSpec(0, false), new StreamSpec(1, false), new StreamSpec(2, false)),
            List.of(new BufferSpec(0, 4)), List.of(), List.of(instructions), 8, List.of(0), List.of(REGION), Map.of());
        return StallReport.of(program, instructions.length, launch -> true, done::contains,
            stream -> false);
    }

    /** A stream cannot be stuck in what was not launched. */
    @Test
    void whatWasLeftOutIsNotWhatAStreamDoes() {
        Program program = new Program(List.of(new StreamSpec(0, false), new StreamSpec(1, false)),
            List.of(new BufferSpec(0, 4)), List.of(), List.of(run(0, 0, 0), run(0, 0, 1), record(0, 0, 0),
                await(1, 0, 0), run(1, 0, 2), record(1, 0, 1)), 8, List.of(0), List.of(REGION), Map.of());
        Predicate<Instruction.Launch> ran = launch -> !launch.equals(run(0, 0, 1));
        assertEquals("cpu:0 runs unet/down of step 1, cpu:1 waits in step 1 for unet/down on cpu:0 (step 1)",
            StallReport.of(program, 6, ran, event -> false, stream -> false).describe(NAMES));
    }

    @Test
    void theOneThatRunsIsToBlameAndTheOthersSayForWhatTheyWait() {
        StallReport report = report(Set.of(0), run(0, 0, 0), record(0, 0, 0), await(1, 0, 0), run(1, 0, 1),
            record(1, 0, 1), await(2, 1, 1), run(2, 1, 2), record(2, 1, 2), await(0, 2, 2), run(0, 2, 0),
            record(0, 2, 3));
        assertEquals("cpu:0 waits in step 3 for unet/up on cpu:2 (step 2), cpu:1 runs unet/mid of step 1, "
            + "cpu:2 waits in step 2 for unet/mid on cpu:1 (step 1)", report.describe(NAMES));
        assertEquals(List.of(1), report.culprits());
        assertEquals(List.of(), report.cycle());
    }

    @Test
    void aStreamWithWorkBeforeItsWaitIsPresumedToWaitWhereAnotherRunsForSure() {
        StallReport report = report(Set.of(), run(0, 0, 0), record(0, 0, 0), copy(1, 0), run(1, 0, 1), await(1, 0, 0),
            run(1, 0, 2), record(1, 0, 1));
        assertEquals("cpu:0 runs unet/down of step 1, cpu:1 waits in step 1 for unet/down on cpu:0 (step 1)",
            report.describe(NAMES));
    }

    @Test
    void workWithoutARecordBetweenIsNamedTogether() {
        StallReport report = report(Set.of(), copy(0, 4), run(0, 4, 0), run(0, 4, 1), record(0, 4, 0));
        assertEquals("cpu:0 runs unet/down or unet/mid of step 5", report.describe(NAMES));
        assertEquals("cpu:0 runs a copy of step 5", report(Set.of(), copy(0, 4), record(0, 4, 0)).describe(NAMES));
    }

    @Test
    void streamsThatAreDoneAreNotNamed() {
        assertEquals("", report(Set.of(0), run(0, 0, 0), record(0, 0, 0), run(0, 0, 1)).describe(NAMES));
    }

    @Test
    void anEventThatWasNotRecordedIsCalledSo() {
        StallReport report = report(Set.of(0), run(0, 0, 0), record(0, 0, 0), await(1, 0, 5), run(1, 0, 1));
        assertEquals("cpu:1 waits in step 1 for an event that was not recorded", report.describe(NAMES));
        assertEquals(List.of(1), report.culprits());
    }

    @Test
    void aRingOfWaitsIsNamed() {
        StallReport report = report(Set.of(), await(0, 1, 2), run(0, 1, 0), record(0, 1, 0), await(1, 1, 0),
            run(1, 1, 1), record(1, 1, 1), await(2, 1, 1), run(2, 1, 2), record(2, 1, 2));
        assertEquals("cpu:0 waits in step 2 for unet/up on cpu:2 (step 2), "
            + "cpu:1 waits in step 2 for unet/down on cpu:0 (step 2), "
            + "cpu:2 waits in step 2 for unet/mid on cpu:1 (step 2), a cycle: cpu:0 -> cpu:2 -> cpu:1 -> cpu:0",
            report.describe(NAMES));
        assertEquals(List.of(0, 1, 2), report.culprits());
    }

    @Test
    void whatIsNotQueuedYetIsNotToBlame() {
        Program program = new Program(List.of(new StreamSpec(0, false), new StreamSpec(1, false)),
            List.of(new BufferSpec(0, 4)), List.of(), List.of(run(0, 0, 0), record(0, 0, 0), run(1, 1, 1),
            record(1, 1, 1)), 2, List.of(0), List.of(REGION), Map.of());
        assertEquals("cpu:0 runs unet/down of step 1",
            StallReport.of(program, 2, launch -> true, event -> false, stream -> false).describe(NAMES));
    }
}
