package dev.slipstream.pipelines.run.program;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.slipstream.bridge.Arithmetic.Limit;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each kind of work, with numbers for operands. */
class WorkTest {
    private static final TensorType TYPE = TensorType.of(DataType.FLOAT32, 2);
    private static final List<String> STAGES = List.of("unet/down", "unet/up");

    record Kind(Work<Integer> work, List<Integer> reads, List<Integer> writes, Work<String> mapped, String words) {
    }

    private static Map<String, Integer> ordered(Object... pairs) {
        Map<String, Integer> map = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            map.put((String) pairs[i], (Integer) pairs[i + 1]);
        }
        return map;
    }

    static List<Kind> kinds() {
        Limit limit = new Limit.Clamp(1);
        return List.of(
            new Kind(new Work.Run<>(1, ordered("z", 1, "a", 2), ordered("o", 3)), List.of(1, 2), List.of(3),
                new Work.Run<>(1, Map.of("z", "v1", "a", "v2"), Map.of("o", "v3")), "unet/up"),
            new Kind(new Work.Copy<>(1, 2), List.of(1), List.of(2), new Work.Copy<>("v1", "v2"), "a copy"),
            new Kind(new Work.Combine<>(3, List.of(1, 2), List.of(0.5f, 2f)), List.of(1, 2), List.of(3),
                new Work.Combine<>("v3", List.of("v1", "v2"), List.of(0.5f, 2f)), "a combination"),
            new Kind(new Work.Rescale<>(4, 1, 2, 3, 5, 0.7f), List.of(1, 2), List.of(4, 3),
                new Work.Rescale<>("v4", "v1", "v2", "v3", 5, 0.7f), "rescaling guidance"),
            new Kind(new Work.Limiting<>(2, 1, 5, limit), List.of(1), List.of(2),
                new Work.Limiting<>("v2", "v1", 5, limit), "limiting the clean latents"),
            new Kind(new Work.Compare<>(4, 1, 2, 3), List.of(1, 2), List.of(4, 3),
                new Work.Compare<>("v4", "v1", "v2", "v3"), "a comparison"),
            new Kind(new Work.Report<>(1, 9), List.of(1), List.of(), new Work.Report<>("v1", 9), "a report"),
            new Kind(new Work.FiniteCheck<>(0, "h", TYPE, 1, 2, 7), List.of(1, 2), List.of(),
                new Work.FiniteCheck<>(0, "h", TYPE, "v1", "v2", 7), "a check of unet/down"));
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void aKindSaysWhatItReadsAndWritesAndStaysTheSameOnOtherOperands(Kind kind) {
        assertEquals(kind.reads(), kind.work().reads());
        assertEquals(kind.writes(), kind.work().writes());
        assertEquals(kind.mapped(), kind.work().map(operand -> "v" + operand));
        assertEquals(kind.words(), kind.work().describe(STAGES));
    }

    @Test
    void everyKindIsTried() {
        assertEquals(Work.class.getPermittedSubclasses().length,
            kinds().stream().map(kind -> kind.work().getClass()).distinct().count());
    }

    @Test
    void tensorsOfARunAreItsInputsAndThenItsOutputs() {
        Work.Run<Integer> run = new Work.Run<>(0, ordered("z", 1, "a", 2), ordered("o", 3));
        assertEquals(List.of("z", "a", "o"), List.copyOf(run.tensors().keySet()));
        assertThrows(UnsupportedOperationException.class, () -> run.inputs().clear());
        assertThrows(UnsupportedOperationException.class, () -> run.outputs().clear());
    }

    @Test
    void aRegionIsPrintedShortly() {
        assertEquals("b3", new Region(3, 0, 8).toString());
        assertEquals("b3+16", new Region(3, 16, 8).toString());
    }
}
