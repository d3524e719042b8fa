package dev.slipstream.pipelines.model.lora;

import dev.slipstream.pipelines.model.StoredType;

/** Magnitudes of floats as their bits without the sign, which have the same order, NaN above all. */
final class Magnitudes {
    /** Of an infinity. */
    static final int INFINITE = Float.floatToRawIntBits(Float.POSITIVE_INFINITY);

    private Magnitudes() {
    }

    /** 0 if there are none. */
    static int largest(float[] values) {
        int largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Float.floatToRawIntBits(value) & Integer.MAX_VALUE);
        }
        return largest;
    }

    /** From which on a number is not finite when it is rounded to a type. */
    static int limit(StoredType type) {
        return switch (type) {
            case F16 -> Float.floatToRawIntBits(65520f);
            case BF16 -> Float.floatToRawIntBits(0x1.ffp127f);
            default -> INFINITE;
        };
    }
}
