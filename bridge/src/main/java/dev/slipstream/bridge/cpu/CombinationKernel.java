package dev.slipstream.bridge.cpu;

import dev.slipstream.bridge.Combination;
import dev.slipstream.bridge.Slice;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Computes combinations, a piece at a time: a piece of each input is copied into an array that stays in the first-level
 * cache, and added there. On JDK 25 that is 1.5 to 2 times as fast as a loop over the segments themselves, which the
 * compiler does not vectorise as well, and one loop serves any number of terms. Belongs to one thread.
 */
final class CombinationKernel {
    private static final int PIECE = 2048;

    private final float[] sum = new float[PIECE];
    private final float[] term = new float[PIECE];

    void compute(Combination combination) {
        long elements = combination.out().bytes() / Float.BYTES;
        for (long start = 0; start < elements; start += PIECE) {
            int count = (int) Math.min(PIECE, elements - start);
            load(combination.inputs().get(0), start, sum, count);
            scale(sum, combination.weights().get(0), count);
            for (int i = 1; i < combination.inputs().size(); i++) {
                load(combination.inputs().get(i), start, term, count);
                add(sum, term, combination.weights().get(i), count);
            }
            store(sum, combination.out(), start, count);
        }
    }

    private static void load(Slice from, long start, float[] to, int count) {
        MemorySegment segment = ((CpuBuffer) from.buffer()).segment();
        MemorySegment.copy(segment, ValueLayout.JAVA_FLOAT, from.offset() + start * Float.BYTES, to, 0, count);
    }

    private static void store(float[] from, Slice to, long start, int count) {
        MemorySegment segment = ((CpuBuffer) to.buffer()).segment();
        MemorySegment.copy(from, 0, segment, ValueLayout.JAVA_FLOAT, to.offset() + start * Float.BYTES, count);
    }

    // Methods of their own, as the compiler vectorises small loops over two arrays best.
    private static void scale(float[] values, float weight, int count) {
        for (int i = 0; i < count; i++) {
            values[i] *= weight;
        }
    }

    private static void add(float[] values, float[] more, float weight, int count) {
        for (int i = 0; i < count; i++) {
            values[i] += weight * more[i];
        }
    }
}
