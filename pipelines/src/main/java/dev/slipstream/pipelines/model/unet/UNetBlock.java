package dev.slipstream.pipelines.model.unet;

import java.util.List;

/**
 * One block on the way down, in the middle or on the way up.
 *
 * @param channels of what its layers make
 * @param attends whether transformers follow its residual blocks
 * @param heads of attention
 * @param depths transformer blocks after each of its residual blocks
 * @param onlyCrossAttention whether the first attention of a transformer block reads the text too, not the picture
 */
record UNetBlock(int channels, boolean attends, int heads, List<Integer> depths, boolean onlyCrossAttention) {
    UNetBlock {
        depths = List.copyOf(depths);
    }

    /** Channels inside its transformers: fewer than outside where the heads do not divide those, as in diffusers. */
    int innerChannels() {
        return channels / heads * heads;
    }

    /** Number of residual blocks. */
    int layers() {
        return depths.size();
    }
}
