package dev.slipstream.bridge;

import java.util.List;

/**
 * The one arithmetic kernel that noise schedulers and guidance need: {@code out = Σ weightᵢ·inputᵢ}, element by
 * element, in fp32. Prepared once, queued often ({@link Stream#combine}).
 *
 * <p>All slices hold {@code float32} elements, have the same size, and lie on one device. {@code out} may be the same
 * slice as an input (each element is read before it is written), but must not overlap one in part.
 * Slices that do not fit each other, or do not begin at an element, are an {@link IllegalArgumentException}.
 */
public record Combination(Slice out, List<Slice> inputs, List<Float> weights) {
    /** Most terms that a combination may have. */
    public static final int MAX_TERMS = 8;

    public Combination {
        inputs = List.copyOf(inputs);
        weights = List.copyOf(weights);
        if (inputs.isEmpty() || inputs.size() > MAX_TERMS || inputs.size() != weights.size()) {
            throw new IllegalArgumentException("a combination has 1 to " + MAX_TERMS + " inputs and a weight for each, "
                + "not " + inputs.size() + " inputs and " + weights.size() + " weights");
        }
        if (out.bytes() % Float.BYTES != 0) {
            throw new IllegalArgumentException(out.bytes() + " bytes are no whole number of float32 elements");
        }
        requireAligned(out);
        for (Slice input : inputs) {
            requireAligned(input);
            if (!input.equals(out) && input.overlaps(out)) {
                throw new IllegalArgumentException("an input overlaps the output in part: " + input + ", " + out);
            }
            if (input.bytes() != out.bytes()) {
                throw new IllegalArgumentException(
                    "an input has " + input.bytes() + " bytes, the output " + out.bytes());
            }
            if (input.buffer().device() != out.buffer().device()) {
                throw new IllegalArgumentException("an input is on " + input.buffer().device().name()
                    + ", the output on " + out.buffer().device().name());
            }
        }
    }

    private static void requireAligned(Slice slice) {
        if (slice.offset() % Float.BYTES != 0) {
            throw new IllegalArgumentException("byte " + slice.offset() + " is no beginning of a float32 element");
        }
    }
}
