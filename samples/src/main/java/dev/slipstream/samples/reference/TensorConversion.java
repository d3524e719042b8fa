package dev.slipstream.samples.reference;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Optional;

/** Stored tensors in the element type that a graph takes. */
public final class TensorConversion {
    private TensorConversion() {
    }

    /** A copy of the elements in native byte order; fractions are cut off where the type has none. */
    public static MemorySegment convert(StoredTensor tensor, DataType type, Arena arena) {
        MemorySegment copy = arena.allocate(new TensorType(type, tensor.shape()).bytes(), 64);
        if (tensor.type().dataType().equals(Optional.of(type)) && ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN) {
            return copy.copyFrom(tensor.data());
        }
        for (long i = 0; i < tensor.shape().elements(); i++) {
            put(copy, type, i, element(tensor, i));
        }
        return copy;
    }

    /**
     * One element, widened or rounded to a double.
     *
     * @param index in row-major order
     * @throws ModelException if the tensor is of a type that no engine has
     */
    public static double element(StoredTensor tensor, long index) {
        MemorySegment data = tensor.data();
        return switch (tensor.type()) {
            case F64 -> data.get(little(ValueLayout.JAVA_DOUBLE_UNALIGNED), 8 * index);
            case F32 -> data.get(little(ValueLayout.JAVA_FLOAT_UNALIGNED), 4 * index);
            case F16 -> Float.float16ToFloat(data.get(little(ValueLayout.JAVA_SHORT_UNALIGNED), 2 * index));
            case BF16 -> Float.intBitsToFloat(data.get(little(ValueLayout.JAVA_SHORT_UNALIGNED), 2 * index) << 16);
            case I64 -> data.get(little(ValueLayout.JAVA_LONG_UNALIGNED), 8 * index);
            case I32 -> data.get(little(ValueLayout.JAVA_INT_UNALIGNED), 4 * index);
            case I16 -> data.get(little(ValueLayout.JAVA_SHORT_UNALIGNED), 2 * index);
            case I8 -> data.get(ValueLayout.JAVA_BYTE, index);
            case U8, BOOL -> data.get(ValueLayout.JAVA_BYTE, index) & 0xFF;
            default -> throw new ModelException("tensors of type " + tensor.type() + " cannot be compared or run");
        };
    }

    private static void put(MemorySegment to, DataType type, long index, double value) {
        switch (type) {
            case FLOAT32 -> to.setAtIndex(ValueLayout.JAVA_FLOAT, index, (float) value);
            case FLOAT16 -> to.setAtIndex(ValueLayout.JAVA_SHORT, index, Float.floatToFloat16((float) value));
            case BFLOAT16 -> to.setAtIndex(ValueLayout.JAVA_SHORT, index, bfloat16((float) value));
            case INT64 -> to.setAtIndex(ValueLayout.JAVA_LONG, index, (long) value);
            case INT32 -> to.setAtIndex(ValueLayout.JAVA_INT, index, (int) value);
            case BOOL -> to.setAtIndex(ValueLayout.JAVA_BYTE, index, (byte) (value == 0 ? 0 : 1));
        }
    }

    /** To nearest, ties to even; the upper half of a float is a bfloat16. */
    private static short bfloat16(float value) {
        int bits = Float.floatToRawIntBits(value);
        return (short) (Float.isNaN(value) ? bits >> 16 | 0x40 : bits + 0x7FFF + (bits >> 16 & 1) >> 16);
    }

    private static ValueLayout.OfDouble little(ValueLayout.OfDouble layout) {
        return layout.withOrder(ByteOrder.LITTLE_ENDIAN);
    }

    private static ValueLayout.OfFloat little(ValueLayout.OfFloat layout) {
        return layout.withOrder(ByteOrder.LITTLE_ENDIAN);
    }

    private static ValueLayout.OfShort little(ValueLayout.OfShort layout) {
        return layout.withOrder(ByteOrder.LITTLE_ENDIAN);
    }

    private static ValueLayout.OfLong little(ValueLayout.OfLong layout) {
        return layout.withOrder(ByteOrder.LITTLE_ENDIAN);
    }

    private static ValueLayout.OfInt little(ValueLayout.OfInt layout) {
        return layout.withOrder(ByteOrder.LITTLE_ENDIAN);
    }
}
