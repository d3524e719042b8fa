package dev.slipstream.pipelines.run.program;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a program knows of itself. */
class ProgramTest {
    private static final Region REGION = new Region(0, 0, 4);

    private static Instruction run(int stream, int step) {
        return new Instruction.Launch(stream, step, new Work.Run<>(0, Map.of(), Map.of("o", REGION)));
    }

    private static Instruction copy(Region from, Region to) {
        return new Instruction.Launch(0, 0, new Work.Copy<>(from, to));
    }

    @Test
    void aProgramCountsItsBuffersRunsCopiesAndSteps() {
        Program program = new Program(List.of(new Program.StreamSpec(0, false), new Program.StreamSpec(1, false)),
            List.of(new Program.BufferSpec(0, 4), new Program.BufferSpec(1, 16), new Program.BufferSpec(0, 5)),
            List.of(), List.of(run(0, 0), copy(REGION, new Region(1, 0, 4)), copy(REGION, new Region(2, 0, 4)),
                run(1, 1), new Instruction.Record(1, 1, 1)), 2, List.of(0, 1), List.of(REGION, REGION), Map.of());

        assertEquals(9, program.bufferBytes(0));
        assertEquals(16, program.bufferBytes(1));
        assertEquals(1, program.device(new Region(1, 8, 8)));
        assertEquals(2, program.engineRuns());
        assertEquals(4, program.works().count());
        assertEquals(4, program.copiedBytes(), "the second copy stays on its device");
        assertEquals(List.of(3, 5), Arrays.stream(program.stepEnds()).boxed().toList());
        assertEquals(2, program.steps());
    }

    @Test
    void regionsOverlapWhereTheyShareAByte() {
        Region middle = new Region(0, 4, 4);

        assertTrue(middle.overlaps(new Region(0, 7, 1)));
        assertFalse(middle.overlaps(new Region(0, 8, 4)));
        assertFalse(middle.overlaps(new Region(1, 4, 4)));
        assertTrue(new Region(0, 0, 8).contains(middle));
        assertFalse(middle.contains(new Region(0, 4, 5)));
    }
}
