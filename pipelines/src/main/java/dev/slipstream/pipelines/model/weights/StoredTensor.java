package dev.slipstream.pipelines.model.weights;

import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.tensor.BFloat16;
import dev.slipstream.pipelines.model.ModelException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.nio.ByteOrder;

/**
 * A tensor in a safetensors file, or on its way into one. It owns nothing: {@code data} lives as long as the {@link
 * SafetensorsFile} it came from, and its use after that is an {@link IllegalStateException}.
 *
 * @param type element type
 * @param shape dimensions, all known
 * @param data the elements, dense, row-major, little-endian, at any alignment
 */
public record StoredTensor(StoredType type, Shape shape, MemorySegment data) {
    private static final ValueLayout.OfFloat FLOAT =
        ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble DOUBLE =
        ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG =
        ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
        ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    public StoredTensor {
        long bytes = Math.multiplyExact(shape.elements(), (long) type.bytes());
        if (data.byteSize() != bytes) {
            throw new IllegalArgumentException(
                "a tensor " + type + shape + " needs " + bytes + " bytes, not " + data.byteSize());
        }
    }

    /** An fp32 tensor with a copy of these values. */
    public static StoredTensor of(Shape shape, float... values) {
        return of(StoredType.F32, shape, values);
    }

    /**
     * A tensor with these values, rounded to the nearest of its type, ties to even.
     *
     * @param type F32, F16 or BF16
     * @throws ModelException if the type is another
     */
    public static StoredTensor of(StoredType type, Shape shape, float... values) {
        MemorySegment data = MemorySegment.ofArray(new byte[Math.multiplyExact(values.length, type.bytes())]);
        switch (type) {
            case F32 -> MemorySegment.copy(values, 0, data, FLOAT, 0, values.length);
            case F16 -> {
                for (int i = 0; i < values.length; i++) {
                    data.set(SHORT, 2L * i, Float.floatToFloat16(values[i]));
                }
            }
            case BF16 -> {
                for (int i = 0; i < values.length; i++) {
                    data.set(SHORT, 2L * i, (short) BFloat16.ofFloat(values[i]));
                }
            }
            default -> throw new ModelException("numbers cannot be rounded to the type " + type
                + ", only to F32, F16 and BF16");
        }
        return new StoredTensor(type, shape, data);
    }

    /** @throws ModelException if engines have no such element type */
    public TensorType tensorType() {
        return new TensorType(type.dataType()
            .orElseThrow(() -> new ModelException("engines have no element type " + type)), shape);
    }

    /**
     * A copy as fp32; F16, BF16 and the types of eight bits with a fraction are widened, F64 is rounded.
     *
     * @throws ModelException if the elements are not floating-point, or too many for an array
     */
    public float[] toFloats() {
        long count = shape.elements();
        if (count > Integer.MAX_VALUE - 8) {
            throw new ModelException("a tensor " + type + shape + " is too large for an array");
        }
        float[] floats = new float[(int) count];
        switch (type) {
            case F32 -> MemorySegment.copy(data, FLOAT, 0, floats, 0, floats.length);
            case F16 -> {
                for (int i = 0; i < floats.length; i++) {
                    floats[i] = Float.float16ToFloat(data.get(SHORT, 2L * i));
                }
            }
            case BF16 -> {
                for (int i = 0; i < floats.length; i++) {
                    floats[i] = Float.intBitsToFloat(data.get(SHORT, 2L * i) << 16);
                }
            }
            case F64 -> {
                for (int i = 0; i < floats.length; i++) {
                    floats[i] = (float) data.get(DOUBLE, 8L * i);
                }
            }
            case F8_E4M3 -> widen(floats, Float8.E4M3);
            case F8_E5M2 -> widen(floats, Float8.E5M2);
            default -> throw new ModelException("a tensor " + type + shape + " does not hold floating-point numbers");
        }
        return floats;
    }

    private void widen(float[] floats, Float8 format) {
        for (int i = 0; i < floats.length; i++) {
            floats[i] = format.toFloat(data.get(ValueLayout.JAVA_BYTE, i));
        }
    }

    /**
     * The only element, of whatever real type.
     *
     * @throws ModelException if there is none or more than one, or it is no real number
     */
    public double toNumber() {
        if (shape.elements() != 1) {
            throw new ModelException("a tensor " + type + shape + " is not one number");
        }
        return switch (type) {
            case F64 -> data.get(DOUBLE, 0);
            case I64 -> data.get(LONG, 0);
            case U64 -> new BigInteger(Long.toUnsignedString(data.get(LONG, 0))).doubleValue();
            case I32 -> data.get(INT, 0);
            case U32 -> Integer.toUnsignedLong(data.get(INT, 0));
            case I16 -> data.get(SHORT, 0);
            case U16 -> Short.toUnsignedInt(data.get(SHORT, 0));
            case I8 -> data.get(ValueLayout.JAVA_BYTE, 0);
            case U8 -> Byte.toUnsignedInt(data.get(ValueLayout.JAVA_BYTE, 0));
            default -> toFloats()[0];
        };
    }

    /**
     * Floating-point numbers of eight bits: a sign, an exponent and a fraction. Every one of them is a float.
     *
     * <p>Source: Micikevicius et al., "FP8 Formats for Deep Learning", arXiv 2209.05433; E4M3 is the variant without
     * infinities that PyTorch calls {@code float8_e4m3fn}.
     */
    private enum Float8 {
        E4M3(3, 7), E5M2(2, 15);

        private static final int CODES = 256;

        private final float[] values = new float[CODES];

        Float8(int fractionBits, int bias) {
            int exponents = 1 << 7 - fractionBits;
            int fractions = 1 << fractionBits;
            for (int code = 0; code < CODES; code++) {
                int exponent = code >> fractionBits & exponents - 1;
                int fraction = code & fractions - 1;
                float magnitude = exponent == 0 ? Math.scalb((float) fraction, 1 - bias - fractionBits)
                    : Math.scalb((float) (fractions + fraction), exponent - bias - fractionBits);
                values[code] = (code & CODES / 2) == 0 ? magnitude : -magnitude;
            }
            // E5M2 has infinities and NaN where halves have them; E4M3 has a NaN of each sign in place of the largest
            // number.
            int first = fractionBits == 2 ? exponents - 1 << fractionBits : CODES / 2 - 1;
            for (int code = first; code < CODES / 2; code++) {
                boolean infinite = fractionBits == 2 && code == first;
                values[code] = infinite ? Float.POSITIVE_INFINITY : Float.NaN;
                values[code + CODES / 2] = infinite ? Float.NEGATIVE_INFINITY : Float.NaN;
            }
        }

        float toFloat(byte code) {
            return values[Byte.toUnsignedInt(code)];
        }
    }
}
