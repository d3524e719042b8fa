package dev.slipstream.pipelines.model;

/**
 * Floating-point numbers of eight bits: a sign, an exponent and a fraction. Every one of them is a float.
 *
 * <p>Source: Micikevicius et al., "FP8 Formats for Deep Learning", arXiv 2209.05433; E4M3 is the variant without
 * infinities that PyTorch calls {@code float8_e4m3fn}.
 */
enum Float8 {
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
        // E5M2 has infinities and NaN where halves have them, E4M3 one NaN of each sign in place of the largest number.
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
