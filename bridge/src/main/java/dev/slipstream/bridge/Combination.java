package dev.slipstream.bridge;

import java.util.List;

/**
 * The arithmetic of noise schedulers and guidance: {@code out = Σ weightᵢ·inputᵢ}, element by
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
        ElementwiseCheck.require(out, inputs);
    }
}
