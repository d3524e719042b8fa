package dev.slipstream.pipelines.diffusion.component;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.diffusion.image.Image;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Latents of a loop to pictures: one after another, or as many frames of a video together as an engine is for. One call
 * at a time; the engines are not its own.
 *
 * @param decoders the first for most of the frames, the second for those that are left over in the end, if there are
 */
public record LatentsDecoder(List<ImageDecoder> decoders, LatentFrames frames) {
    public LatentsDecoder {
        decoders = List.copyOf(decoders);
    }

    /** @param shape of the latents, float32 {@code [batch, frames · channels, height, width]} */
    public List<Image> decode(MemorySegment latents, Shape shape) {
        MemorySegment apart = MemorySegment.ofArray(frames.apart(latents, shape));
        long bytes = frames.channels() * shape.dim(2) * shape.dim(3) * Float.BYTES;
        List<Image> pictures = new ArrayList<>();
        while (pictures.size() < shape.dim(0) * frames.count()) {
            int left = frames.count() - pictures.size() % frames.count();
            ImageDecoder decoder = decoders.stream().filter(it -> it.together() <= left).findFirst().orElseThrow();
            pictures.addAll(decoder.decode(apart.asSlice(pictures.size() * bytes, decoder.together() * bytes),
                Shape.of(decoder.together(), frames.channels(), shape.dim(2), shape.dim(3))));
        }
        return pictures;
    }
}
