package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.run.loop.NoiseTable.Mix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.function.LongFunction;
import java.util.stream.LongStream;

/**
 * The noise of one request: it depends on the seed and the size of a picture's latents, and on nothing else. Each
 * picture of a batch has the noise that it would have alone.
 *
 * @param seed of the first picture; the next has {@code seed + 1} and so on
 * @param type {@code [batch, channels, height, width]}, float32
 * @param arena where what is made lives
 */
public record SeededNoise(long seed, TensorType type, Arena arena) {
    /** The first latents: standard normal, times the scale that the noise scheduler starts with. */
    public MemorySegment latents(double scale) {
        MemorySegment segment = arena.allocate(type.bytes(), 64);
        fill(segment, Noise::initialLatents);
        for (long i = 0; i < type.shape().elements(); i++) {
            float value = segment.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            segment.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) (value * scale));
        }
        return segment;
    }

    /** The first latents where they come from clean ones, by a noise scheduler's rule for a picture. */
    public MemorySegment onto(Mix start, MemorySegment clean) {
        MemorySegment segment = latents(start.noise());
        if (start.image() != 0) {
            for (long i = 0; i < type.shape().elements(); i++) {
                segment.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) (segment.getAtIndex(ValueLayout.JAVA_FLOAT, i)
                    + start.image() * clean.getAtIndex(ValueLayout.JAVA_FLOAT, i)));
            }
        }
        return segment;
    }

    /** Fresh noise for each of some steps, one after another. @param first of them, from 0 for the picture */
    public MemorySegment steps(int first, int count) {
        MemorySegment segment = arena.allocate(type.bytes() * count, 64);
        for (int step = 0; step < count; step++) {
            int index = first + step;
            fill(segment.asSlice(step * type.bytes(), type.bytes()), each -> Noise.ofStep(each, index));
        }
        return segment;
    }

    /** What blurs the latents of a given picture, one for each picture of the batch. */
    public List<Noise> image() {
        return LongStream.range(0, type.shape().dim(0)).mapToObj(picture -> Noise.ofImage(seed + picture)).toList();
    }

    private void fill(MemorySegment batch, LongFunction<Noise> noise) {
        long pictures = type.shape().dim(0);
        long bytes = type.bytes() / pictures;
        for (long picture = 0; picture < pictures; picture++) {
            noise.apply(seed + picture).fill(batch.asSlice(picture * bytes, bytes), 0);
        }
    }
}
