package dev.slipstream.pipelines.run.program;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.pipelines.run.program.Timeline.Span;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Two streams in virtual time: a run takes 10 for each stage number and one, anything else 3. */
class SimulatorTest {
    private static final Region REGION = new Region(0, 0, 4);

    private static Instruction run(int stream, int step, int stage) {
        return new Instruction.Launch(stream, step, new Work.Run<>(stage, Map.of(), Map.of("o", REGION)));
    }

    private static Instruction copy(int stream, int step, Region from, Region to) {
        return new Instruction.Launch(stream, step, new Work.Copy<>(from, to));
    }

    private static Program program(Instruction... instructions) {
        return new Program(List.of(new Program.StreamSpec(0, false), new Program.StreamSpec(1, false)),
            List.of(new Program.BufferSpec(0, 4), new Program.BufferSpec(1, 16), new Program.BufferSpec(0, 5)),
            List.of(), List.of(instructions), 2, List.of(0, 1), List.of(REGION, REGION), Map.of());
    }

    @Test
    void streamsRunAtTheSameTimeUnlessTheyWait() {
        Program program = program(run(0, 0, 0), new Instruction.Record(0, 0, 0), run(0, 0, 1),
            copy(1, 0, REGION, REGION), run(1, 0, 2), new Instruction.Wait(1, 0, 0), run(1, 1, 0),
            new Instruction.Record(1, 1, 1), new Instruction.Wait(0, 1, 1), run(0, 1, 0));
        Timeline timeline = Simulator.simulate(program,
            work -> work instanceof Work.Run<Region> run ? 10L * (run.stage() + 1) : 3);
        assertEquals(List.of(new Span(0, 0, 0, 0, 10, 10), new Span(0, 0, 1, 10, 30, 20), new Span(1, 0, 2, 3, 33, 30),
            new Span(1, 1, 0, 33, 43, 10), new Span(0, 1, 0, 43, 53, 10)), timeline.spans());
        assertEquals(53, timeline.endNanos());
        assertEquals(Map.of(0, 10L, 1, 20L, 2, 30L), timeline.medianBusyNanos());
    }

    @Test
    void theMedianOfAStageIsTakenOfItsBusyTime() {
        Timeline timeline = new Timeline(List.of(new Span(0, 0, 4, 0, 100, 30), new Span(0, 1, 4, 100, 200, 10),
            new Span(0, 2, 4, 200, 300, 20), new Span(0, 0, 5, 0, 7, 7)));
        assertEquals(Map.of(4, 20L, 5, 7L), timeline.medianBusyNanos());
        assertEquals(0, new Timeline(List.of()).endNanos());
    }

    @Test
    void aProgramCountsItsBuffersRunsCopiesAndSteps() {
        Program program = program(run(0, 0, 0), copy(0, 0, REGION, new Region(1, 0, 4)),
            copy(0, 0, REGION, new Region(2, 0, 4)), run(1, 1, 0), new Instruction.Record(1, 1, 1));
        assertEquals(9, program.bufferBytes(0));
        assertEquals(16, program.bufferBytes(1));
        assertEquals(2, program.engineRuns());
        assertEquals(4, program.works().count());
        assertEquals(4, program.copiedBytes(), "the second copy stays on its device");
        assertEquals(List.of(3, 5), Arrays.stream(program.stepEnds()).boxed().toList());
        assertEquals(2, program.steps());
    }
}
