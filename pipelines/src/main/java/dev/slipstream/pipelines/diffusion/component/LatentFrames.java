package dev.slipstream.pipelines.diffusion.component;

import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * How the frames of a video lie in the latents of a loop, {@code [batch, frames · channels, height, width]}. A picture
 * is one frame.
 *
 * @param count of a video
 * @param channels of a frame's latents
 * @param framesFirst whether the channels of a frame lie together; otherwise the frames of a channel do
 */
public record LatentFrames(int count, int channels, boolean framesFirst) {
    /** Latents of single pictures. */
    public static LatentFrames ofPicture(int channels) {
        return new LatentFrames(1, channels, true);
    }

    /** How many frames are decoded together, and last how many of them are left over, if some are. */
    public List<Integer> chunks(int together) {
        int left = count % together;
        return left == 0 ? List.of(together) : List.of(together, left);
    }

    /** The type of so many frames that are {@linkplain #apart}. @param latents of the loop */
    public TensorType type(int frames, TensorType latents) {
        return TensorType.of(latents.type(), frames, channels, latents.shape().dim(2), latents.shape().dim(3));
    }

    /** One frame after another, {@code [batch · frames, channels, height, width]} float32; a copy. */
    public float[] apart(MemorySegment latents, Shape shape) {
        int plane = Math.toIntExact(shape.dim(2) * shape.dim(3));
        int video = count * channels * plane;
        float[] apart = new float[Math.toIntExact(shape.elements())];
        for (int first = 0; first < apart.length; first += video) {
            for (int frame = 0; frame < count; frame++) {
                for (int channel = 0; channel < channels; channel++) {
                    int from = framesFirst ? frame * channels + channel : channel * count + frame;
                    MemorySegment.copy(latents, ValueLayout.JAVA_FLOAT, (first + (long) from * plane) * Float.BYTES,
                        apart, first + (frame * channels + channel) * plane, plane);
                }
            }
        }
        return apart;
    }
}
