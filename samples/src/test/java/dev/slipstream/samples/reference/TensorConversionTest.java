package dev.slipstream.samples.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.pipelines.model.weights.StoredType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TensorConversionTest {
    private final Arena arena = Arena.ofAuto();

    private static StoredTensor stored(StoredType type) {
        ByteBuffer bytes = ByteBuffer.allocate(2 * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (int value = 0; value < 2; value++) {
            switch (type) {
                case F64 -> bytes.putDouble(value);
                case F32 -> bytes.putFloat(value);
                case F16 -> bytes.putShort(Float.floatToFloat16(value));
                case BF16 -> bytes.putShort((short) (Float.floatToIntBits(value) >> 16));
                case I64 -> bytes.putLong(value);
                case I32 -> bytes.putInt(value);
                case I16 -> bytes.putShort((short) value);
                case I8, U8, BOOL -> bytes.put((byte) value);
                default -> throw new IllegalArgumentException(type.name());
            }
        }
        return new StoredTensor(type, Shape.of(2), MemorySegment.ofArray(bytes.array()));
    }

    @ParameterizedTest
    @EnumSource(names = {"F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL"})
    void everyStoredTypeOfPlainNumbersFitsEveryTypeOfAGraph(StoredType type) {
        StoredTensor tensor = stored(type);
        assertArrayEquals(new float[] {0, 1},
            TensorConversion.convert(tensor, DataType.FLOAT32, arena).toArray(ValueLayout.JAVA_FLOAT));
        assertArrayEquals(new short[] {0, Float.floatToFloat16(1)},
            TensorConversion.convert(tensor, DataType.FLOAT16, arena).toArray(ValueLayout.JAVA_SHORT));
        assertArrayEquals(new short[] {0, 0x3F80},
            TensorConversion.convert(tensor, DataType.BFLOAT16, arena).toArray(ValueLayout.JAVA_SHORT));
        assertArrayEquals(new long[] {0, 1},
            TensorConversion.convert(tensor, DataType.INT64, arena).toArray(ValueLayout.JAVA_LONG));
        assertArrayEquals(new int[] {0, 1},
            TensorConversion.convert(tensor, DataType.INT32, arena).toArray(ValueLayout.JAVA_INT));
        assertArrayEquals(new byte[] {0, 1},
            TensorConversion.convert(tensor, DataType.BOOL, arena).toArray(ValueLayout.JAVA_BYTE));
    }

    @ParameterizedTest
    @EnumSource(names = {"F8_E4M3", "F8_E5M2", "F8_E8M0", "U64", "U32", "U16", "C64"})
    void otherStoredTypesAreRefusedByName(StoredType type) {
        StoredTensor tensor = new StoredTensor(type, Shape.of(1), MemorySegment.ofArray(new byte[type.bytes()]));
        String message = assertThrows(ModelException.class,
            () -> TensorConversion.convert(tensor, DataType.FLOAT32, arena)).getMessage();
        assertTrue(message.contains(type.name()), message);
    }

    @Test
    void roundingToBfloat16IsToTheNearestEvenOne() {
        // A bfloat16 has 8 bits of significand: between 256 and 512 there is every second number.
        StoredTensor tensor = StoredTensor.of(Shape.of(4), 257, 259, 257.01f, Float.NaN);
        short[] rounded = TensorConversion.convert(tensor, DataType.BFLOAT16, arena).toArray(ValueLayout.JAVA_SHORT);
        float[] back = new float[4];
        for (int i = 0; i < back.length; i++) {
            back[i] = Float.intBitsToFloat(rounded[i] << 16);
        }
        assertArrayEquals(new float[] {256, 260, 258, Float.NaN}, back);
    }

    @Test
    void wholeNumbersKeepAllTheirDigits() {
        byte[] bytes = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(Long.MAX_VALUE).array();
        StoredTensor tensor = new StoredTensor(StoredType.I64, Shape.of(1), MemorySegment.ofArray(bytes));
        assertEquals(Long.MAX_VALUE,
            TensorConversion.convert(tensor, DataType.INT64, arena).get(ValueLayout.JAVA_LONG, 0));
    }
}
