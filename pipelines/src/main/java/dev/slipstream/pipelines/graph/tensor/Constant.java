package dev.slipstream.pipelines.graph.tensor;

import java.util.Arrays;
import java.util.Optional;
import java.util.function.IntUnaryOperator;

/**
 * A tensor whose values are known. Immutable. A constant that is one value everywhere ("uniform") keeps that value
 * once, so it may have any size; others have at most {@link #MOST_ELEMENTS}.
 *
 * <p>Integers and booleans (0 and 1) are kept as they are, real numbers as the bits of a double.
 */
public final class Constant {
    /** Shape arithmetic is tiny; the largest constant worth folding is CLIP's causal mask, 77 x 77 elements. */
    public static final int MOST_ELEMENTS = 8192;

    private final ValueType type;
    private final long[] words;

    private Constant(ValueType type, long[] words) {
        this.type = type;
        this.words = words;
    }

    /** @param words one for each element, not copied; a single one means the same value everywhere */
    public static Constant of(ValueType type, long[] words) {
        if (words.length != type.elements() && words.length != 1 || words.length > MOST_ELEMENTS) {
            throw new IllegalArgumentException(words.length + " values for " + type);
        }
        return new Constant(type, words);
    }

    public ValueType type() {
        return type;
    }

    public int elements() {
        return Math.toIntExact(type.elements());
    }

    /** Whether one value stands for all elements. */
    public boolean isUniform() {
        return words.length == 1;
    }

    /** Whether it may be written out element by element. */
    public boolean isSmall() {
        return type.elements() <= MOST_ELEMENTS;
    }

    public long word(int index) {
        return words[words.length == 1 ? 0 : index];
    }

    public double real(int index) {
        return type.element().isReal() ? Double.longBitsToDouble(word(index)) : word(index);
    }

    /** All elements of an integer tensor. */
    public long[] integers() {
        if (type.element().isReal()) {
            throw new IllegalStateException("integers of " + type);
        }
        return all();
    }

    private long[] all() {
        if (words.length == type.elements()) {
            return words.clone();
        }
        long[] all = new long[elements()];
        Arrays.fill(all, words[0]);
        return all;
    }

    /** All elements of a real tensor. */
    public double[] reals() {
        double[] all = new double[elements()];
        Arrays.setAll(all, this::real);
        return all;
    }

    /** The same elements in the same order, in another shape. */
    public Constant reshaped(ValueType other) {
        return of(other, words);
    }

    /** A tensor whose element {@code i} is element {@code from(i)} of this one. */
    public Constant rearranged(ValueType other, IntUnaryOperator from) {
        if (isUniform()) {
            return of(other, other.elements() == 0 ? new long[0] : words);
        }
        long[] moved = new long[Math.toIntExact(other.elements())];
        Arrays.setAll(moved, index -> words[from.applyAsInt(index)]);
        return of(other, moved);
    }

    /** The elements from an offset on, with other strides; empty if they are too many to be kept. */
    public Optional<Constant> strided(ValueType other, long offset, long[] strides) {
        if (!isUniform() && other.elements() > MOST_ELEMENTS) {
            return Optional.empty();
        }
        long[] dims = other.dims();
        return Optional.of(rearranged(other, index -> (int) (offset + Dims.offset(index, dims, strides))));
    }

    /** Whether it is known to be zero everywhere; a negative zero counts. */
    public boolean isZero() {
        for (int i = 0; i < words.length; i++) {
            if (real(i) != 0) {
                return false;
            }
        }
        return true;
    }

    @Override
    public String toString() {
        return type + (isUniform() ? " of " + real(0) : "");
    }
}
