package dev.slipstream.bridge;

import java.util.List;

/**
 * Bounds the values of pictures, each by itself: {@code out = limit(in)}. Prepared once, queued often
 * ({@link Stream#limit}).
 *
 * <p>Tensors are {@code float32 [pictures, ...]}, of the same size and on one device. {@code out} may be the same slice
 * as {@code in}, but must not overlap it in part. The bits are the same on every device. A NaN stays one; in a quantile
 * it counts as larger than all numbers. Slices that do not fit are an {@link IllegalArgumentException}.
 */
public record Limiting(Slice out, Slice in, int pictures, Limit limit) {
    public Limiting {
        ElementwiseCheck.require(out, List.of(in));
        if (pictures < 1 || out.bytes() % ((long) pictures * Float.BYTES) != 0 || out.bytes() == 0) {
            throw new IllegalArgumentException(out.bytes() + " bytes are no " + pictures + " pictures of float32");
        }
    }

    /** How many values a picture has. */
    public long values() {
        return out.bytes() / Float.BYTES / pictures;
    }
}
