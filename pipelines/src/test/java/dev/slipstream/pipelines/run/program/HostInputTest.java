package dev.slipstream.pipelines.run.program;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The bytes that the host writes. */
class HostInputTest {
    private static final Map<String, MemorySegment> GIVEN =
        Map.of("text", MemorySegment.ofArray(new byte[] {1, 2, 3, 4, 5, 6}));

    private static byte[] bytes(HostInput input) {
        try (Arena arena = Arena.ofConfined()) {
            return input.bytes(GIVEN, arena).toArray(ValueLayout.JAVA_BYTE);
        }
    }

    private static String refused(HostInput input) {
        return assertThrows(IllegalArgumentException.class, () -> bytes(input)).getMessage();
    }

    @Test
    void aPartOfWhatIsGivenIsTakenFromItsPlace() {
        assertArrayEquals(new byte[] {3, 4, 5, 6}, bytes(new HostInput.Given("text", 2, new Region(0, 0, 4))));
    }

    @Test
    void whatIsMissingOrTooShortIsNamed() {
        assertEquals("the loop needs 4 bytes of 'pose', none were given",
            refused(new HostInput.Given("pose", 0, new Region(0, 0, 4))));
        assertEquals("the loop needs 7 bytes of 'text', 6 were given",
            refused(new HostInput.Given("text", 3, new Region(0, 0, 4))));
    }

    @Test
    void aMarkIsGreaterThanEveryLabel() {
        assertArrayEquals(new byte[] {-1, -1, -1, 127}, bytes(new HostInput.Mark(new Region(0, 0, 4))));
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT32", "FLOAT16", "INT64", "INT32"})
    void aTimestepIsWrittenInTheTypeThatTheDenoiserTakes(DataType type) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = new HostInput.Timestep(801.75, TensorType.of(type, 2),
                new Region(0, 0, 2L * type.bytes())).bytes(GIVEN, arena);
            assertEquals(2L * type.bytes(), bytes.byteSize());
            for (int i = 0; i < 2; i++) {
                double value = switch (type) {
                    case FLOAT32 -> bytes.getAtIndex(ValueLayout.JAVA_FLOAT, i);
                    case FLOAT16 -> Float.float16ToFloat(bytes.getAtIndex(ValueLayout.JAVA_SHORT, i));
                    case INT64 -> bytes.getAtIndex(ValueLayout.JAVA_LONG, i);
                    default -> bytes.getAtIndex(ValueLayout.JAVA_INT, i);
                };
                double expected = type == DataType.FLOAT32 ? 801.75 : type == DataType.FLOAT16 ? 802 : 801;
                assertEquals(expected, value, "whole timesteps are cut off");
            }
        }
    }

    @Test
    void aTimestepOfAnotherTypeIsRefused() {
        assertEquals("a timestep of type BOOL is not supported",
            refused(new HostInput.Timestep(1, TensorType.of(DataType.BOOL, 1), new Region(0, 0, 1))));
    }
}
