package dev.slipstream.bridge;

import java.util.List;

/**
 * Guidance rescale: {@code out = guided · (strength · σ(text) / σ(guided) + 1 − strength)} for each picture, where σ is
 * the standard deviation over all its elements. It gives what classifier-free guidance has spread too far the spread of
 * the prediction that knows the text. A picture whose guided prediction is the same everywhere stays as it is. Prepared
 * once, queued often ({@link Stream#rescale}).
 *
 * <p>Tensors are {@code float32 [pictures, ...]}, of the same size and on one device. σ is computed in double
 * precision, in an order that is the same on every device, and so are the bits of the result. {@code out} may be the
 * same slice as an input, but must not overlap one in part. Slices that do not fit are an
 * {@link IllegalArgumentException}.
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
        ElementwiseCheck.require(out, List.of(guided, text));
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
