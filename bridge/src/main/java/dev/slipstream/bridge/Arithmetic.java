package dev.slipstream.bridge;

import java.util.List;

/**
 * What streams compute by themselves, beside engines: element by element in {@code float32}, prepared once as a record
 * and queued often. Each record checks its slices when it is made.
 */
public final class Arithmetic {
    private Arithmetic() {
    }

    /**
     * The arithmetic of noise schedulers and guidance: {@code out = Σ weightᵢ·inputᵢ}, an element at a time, in
     * fp32. Prepared once, queued often ({@link Stream#combine}).
     *
     * <p>All slices hold {@code float32} elements, have the same size, and lie on one device. {@code out} may be the
     * same slice as an input (each element is read before it is written), but must not overlap one in part. Slices that
     * do not fit each other, or do not begin at an element, are an {@link IllegalArgumentException}.
     */
    public record Combination(Slice out, List<Slice> inputs, List<Float> weights) {
        /** Most terms that a combination may have. */
        public static final int MAX_TERMS = 8;

        public Combination {
            inputs = List.copyOf(inputs);
            weights = List.copyOf(weights);
            if (inputs.isEmpty() || inputs.size() > MAX_TERMS || inputs.size() != weights.size()) {
                throw new IllegalArgumentException("a combination has 1 to " + MAX_TERMS + " inputs and a weight for "
                    + "each, not " + inputs.size() + " inputs and " + weights.size() + " weights");
            }
            requireElementwise(out, inputs);
        }
    }

    /**
     * Guidance rescale: {@code out = guided · (strength · σ(text) / σ(guided) + 1 − strength)} for each picture;
     * σ is the standard deviation over all its elements. It gives what classifier-free guidance has spread too far the
     * spread of the prediction that knows the text. A picture whose guided prediction is the same everywhere stays as
     * it is. Prepared once, queued often ({@link Stream#rescale}).
     *
     * <p>Tensors are {@code float32 [pictures, ...]}, of the same size and on one device. σ is computed in double
     * precision, in an order that is the same on every device, and so are the bits of the result. {@code out} may be
     * the same slice as an input, but must not overlap one in part. Slices that do not fit are an {@link
     * IllegalArgumentException}.
     *
     * <p>Source: Lin et al. 2023, "Common Diffusion Noise Schedules and Sample Steps are Flawed", equations 14 to 16.
     *
     * @param guided the prediction with guidance
     * @param text the prediction that knows the text
     * @param work {@link #workBytes} for what is between; it overlaps nothing
     * @param strength 0 (leave it) to 1 (all of the text's spread); φ in the paper, which finds 0.7 good
     */
    public record GuidanceRescale(Slice out, Slice guided, Slice text, Slice work, int pictures, float strength) {
        /** Partial sums of a picture. */
        public static final int LANES = 256;
        private static final int SUMS = 4;

        public GuidanceRescale {
            requireElementwise(out, List.of(guided, text));
            if (pictures < 1 || out.bytes() % ((long) pictures * Float.BYTES) != 0) {
                throw new IllegalArgumentException(out.bytes() + " bytes are no " + pictures + " pictures of float32");
            }
            if (!(strength >= 0 && strength <= 1)) {
                throw new IllegalArgumentException("guidance is rescaled by 0 to 1, not " + strength);
            }
            if (work.bytes() != workBytes(pictures) || work.offset() % Double.BYTES != 0
                || work.buffer().device() != out.buffer().device()) {
                throw new IllegalArgumentException("the work space is " + workBytes(pictures) + " bytes on "
                    + out.buffer().device().name() + " that begin at a multiple of 8, not " + work);
            }
            if (work.overlaps(out) || work.overlaps(guided) || work.overlaps(text)) {
                throw new IllegalArgumentException("the work space overlaps a tensor: " + work);
            }
        }

        /** Bytes of work space for so many pictures: four double sums for each lane of each. */
        public static long workBytes(int pictures) {
            return (long) pictures * LANES * SUMS * Double.BYTES;
        }
    }

    /**
     * Bounds the values of pictures, each by itself: {@code out = limit(in)}. Prepared once, queued often ({@link
     * Stream#limit}).
     *
     * <p>Tensors are {@code float32 [pictures, ...]}, of the same size and on one device. {@code out} may be the same
     * slice as {@code in}, but must not overlap it in part. The bits are the same on every device. A NaN stays one; in
     * a quantile it counts as larger than all numbers. Slices that do not fit are an {@link IllegalArgumentException}.
     */
    public record Limiting(Slice out, Slice in, int pictures, Limit limit) {
        public Limiting {
            requireElementwise(out, List.of(in));
            if (pictures < 1 || out.bytes() % ((long) pictures * Float.BYTES) != 0 || out.bytes() == 0) {
                throw new IllegalArgumentException(out.bytes() + " bytes are no " + pictures + " pictures of float32");
            }
        }

        /** How many values a picture has. */
        public long values() {
            return out.bytes() / Float.BYTES / pictures;
        }
    }

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
         * Dynamic thresholding: a picture with large values is bounded by its own quantile, and then divided by it, so
         * that its details stay where a fixed bound would saturate them. With {@code s} the quantile of {@code |x|}
         * over all values of one picture, raised to 1 and lowered to {@code largest}, {@code x} becomes {@code
         * min(max(x, -s), s) / s}. A quantile between two values is interpolated.
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

    /**
     * How far a tensor has moved: {@code out = Σ|now − then| / Σ|then|}, one number for all elements. Decisions are
     * made by it. Prepared once, queued often ({@link Stream#compare}).
     *
     * <p>Tensors are {@code float32}, of the same size and on one device, and {@code out} is one element there. Sums
     * are in double precision, in an order that is the same on every device, and so are the bits of the result. It is
     * no number where an element is none, or both tensors are all 0. Slices that do not fit are an {@link
     * IllegalArgumentException}.
     *
     * @param work {@link #WORK_BYTES} for what is between; it overlaps nothing
     */
    public record RelativeChange(Slice out, Slice now, Slice then, Slice work) {
        /** Partial sums of a tensor. */
        public static final int LANES = 16_384;
        /** What the partial sums are added up to first. */
        public static final int GROUPS = 256;
        /** Two double sums for each lane. */
        public static final long WORK_BYTES = LANES * 2L * Double.BYTES;

        public RelativeChange {
            requireElementwise(now, List.of(then));
            requireAligned(out);
            if (out.bytes() != Float.BYTES || out.buffer().device() != now.buffer().device()) {
                throw new IllegalArgumentException("a change is one float32 on " + now.buffer().device().name()
                    + ", not " + out);
            }
            if (work.bytes() != WORK_BYTES || work.offset() % Double.BYTES != 0
                || work.buffer().device() != now.buffer().device()) {
                throw new IllegalArgumentException("the work space is " + WORK_BYTES + " bytes on "
                    + now.buffer().device().name() + " that begin at a multiple of 8, not " + work);
            }
            if (work.overlaps(out) || work.overlaps(now) || work.overlaps(then) || out.overlaps(now)
                || out.overlaps(then)) {
                throw new IllegalArgumentException("the result or the work space overlaps a tensor: " + out + ", "
                    + work);
            }
        }
    }

    /** @throws IllegalArgumentException if an input does not fit the output, or a slice does not begin at an element */
    private static void requireElementwise(Slice out, List<Slice> inputs) {
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
