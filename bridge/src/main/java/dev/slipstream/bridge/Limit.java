package dev.slipstream.bridge;

/** A bound that no value of a picture exceeds afterwards, in either direction. */
public sealed interface Limit {
    /**
     * Values beyond the range become its ends.
     *
     * @param range more than 0: values are kept from {@code -range} to {@code range}
     */
    record Clamp(float range) implements Limit {
        public Clamp {
            requirePositive(range, "values are clamped to");
        }
    }

    /**
     * Dynamic thresholding: a picture with large values is bounded by its own quantile, and then divided by it, so that
     * its details stay where a fixed bound would saturate them. With {@code s} the quantile of {@code |x|} over all
     * values of one picture, raised to 1 and lowered to {@code largest}, {@code x} becomes {@code min(max(x, -s), s) /
     * s}. A quantile between two values is interpolated.
     *
     * @param ratio of the values that are no larger than the quantile, 0 to 1
     * @param largest more than 0: the largest s
     * @see <a href="https://arxiv.org/abs/2205.11487">Saharia et al. (2022), section 2.3</a>
     */
    record DynamicThreshold(float ratio, float largest) implements Limit {
        public DynamicThreshold {
            if (!(ratio >= 0 && ratio <= 1)) {
                throw new IllegalArgumentException("the ratio of a dynamic threshold is from 0 to 1, not " + ratio);
            }
            requirePositive(largest, "the largest dynamic threshold is");
        }

        /**
         * Where the quantile lies among so many values in ascending order: between the one with this index, rounded
         * down, and the next. In fp32, as PyTorch's {@code quantile} has it.
         */
        public float rank(long values) {
            return Math.min(ratio * (float) (values - 1), values - 1);
        }
    }

    private static void requirePositive(float value, String what) {
        if (!(value > 0 && Float.isFinite(value))) {
            throw new IllegalArgumentException(what + " a finite number of more than 0, not " + value);
        }
    }
}
