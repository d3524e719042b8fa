package dev.slipstream.pipelines.graph.tensor;

/** The upper half of a float32. */
public final class BFloat16 {
    private BFloat16() {
    }

    /** Bits of the nearest bfloat16, ties to even; not-a-number stays so. */
    public static int ofFloat(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return bits >>> 16 | 0x40;
        }
        return bits + 0x7fff + (bits >>> 16 & 1) >>> 16;
    }
}
