package dev.slipstream.samples.verify;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.StoredTensor;
import dev.slipstream.pipelines.model.StoredType;
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
                case I32, U32 -> bytes.putInt(value);
                case I16, U16 -> bytes.putShort((short) value);
                case I8, U8, BOOL -> bytes.put((byte) value);
                case U64, C64, F8_E4M3, F8_E5M2, F8_E8M0 -> bytes.position(bytes.position() + type.bytes());
            }
        }
        return new StoredTensor(type, Shape.of(2), MemorySegment.ofArray(bytes.array()));
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = {"U64", "C64", "F8_E4M3", "F8_E5M2", "F8_E8M0"})
    void everyStoredTypeFitsEveryTypeOfAGraph(StoredType type) {
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
    @EnumSource(names = {"U64", "C64", "F8_E4M3", "F8_E5M2", "F8_E8M0"})
    void typesThatGraphsHaveNoLikeOfAreRefused(StoredType type) {
        assertTrue(assertThrows(ModelException.class, () ->
            TensorConversion.convert(stored(type), DataType.FLOAT32, arena)).getMessage().contains(type + "[2]"));
    }

    @Test
    void unsignedNumbersStayPositive() {
        byte[] ones = {-1, -1, -1, -1};
        assertEquals(0xFFFFFFFFL, TensorConversion.convert(new StoredTensor(StoredType.U32, Shape.of(1),
            MemorySegment.ofArray(ones)), DataType.INT64, arena).get(ValueLayout.JAVA_LONG, 0));
        assertArrayEquals(new int[] {0xFFFF, 0xFFFF}, TensorConversion.convert(new StoredTensor(StoredType.U16,
            Shape.of(2), MemorySegment.ofArray(ones)), DataType.INT32, arena).toArray(ValueLayout.JAVA_INT));
        assertArrayEquals(new int[] {-1, -1, -1, -1}, TensorConversion.convert(new StoredTensor(StoredType.I8,
            Shape.of(4), MemorySegment.ofArray(ones)), DataType.INT32, arena).toArray(ValueLayout.JAVA_INT));
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
