package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.noise.Noise;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The noise of one request: it depends on the seed and the size of the latents, and on nothing else. */
record SeededNoise(long seed, TensorType type, Arena arena) {
    /** The first latents: standard normal, times the scale that the noise scheduler starts with. */
    MemorySegment latents(double scale) {
        MemorySegment segment = arena.allocate(type.bytes(), 64);
        Noise.initialLatents(seed).fill(segment, 0);
        for (long i = 0; i < type.shape().elements(); i++) {
            float value = segment.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            segment.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) (value * scale));
        }
        return segment;
    }

    /** Fresh noise for each of some steps, one after another. @param first of them, counted from the picture's first */
    MemorySegment steps(int first, int count) {
        MemorySegment segment = arena.allocate(type.bytes() * count, 64);
        for (int step = 0; step < count; step++) {
            Noise.ofStep(seed, first + step).fill(segment.asSlice(step * type.bytes(), type.bytes()), 0);
        }
        return segment;
    }
}
