package dev.slipstream.pipelines.graph.shape;

import java.util.Optional;

/** Values of Cast. Numbers that the new type cannot hold differ between machines, and are left to the engine. */
final class CastFolding {
    private CastFolding() {
    }

    static Optional<Constant> fold(TypedNode node, ValueType type, int output) {
        Constant input = node.required(0);
        ElementType to = type.element();
        if (!input.isUniform() && !input.isSmall()) {
            return Optional.empty();
        }
        long[] words = new long[input.isUniform() ? 1 : input.elements()];
        for (int i = 0; i < words.length; i++) {
            double real = input.real(i);
            boolean fromReal = input.type().element().isReal();
            if (to.isReal()) {
                words[i] = Double.doubleToRawLongBits(fromReal ? to.round(real) : ofInteger(input.word(i), to));
            } else if (to == ElementType.BOOL) {
                words[i] = real != 0 ? 1 : 0;
            } else if (fromReal && !fits(real, to)) {
                return Optional.empty();
            } else {
                words[i] = fromReal ? (long) real : to.wrap(input.word(i));
            }
        }
        return Optional.of(Constant.of(type, words));
    }

    /** Straight from the integer to the type: by way of a double it would be rounded twice. */
    private static double ofInteger(long value, ElementType to) {
        return to == ElementType.FLOAT64 ? (double) value : to.round((float) value);
    }

    private static boolean fits(double real, ElementType to) {
        return Math.abs(real) < 0x1p63 && to.wrap((long) real) == (long) real;
    }
}
