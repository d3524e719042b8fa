package dev.slipstream.bridge.cpu;

import dev.slipstream.bridge.Limit;
import dev.slipstream.bridge.Limiting;
import dev.slipstream.bridge.Slice;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** Bounds the values of pictures, with the arithmetic of {@code native/src/limit.cu}. Belongs to one thread. */
final class LimitKernel {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ValueLayout.OfInt BITS = ValueLayout.JAVA_INT_UNALIGNED;
    private static final int SIGN = 0x8000_0000;
    private static final int DIGIT_BITS = 8;
    private static final int DIGITS = 1 << DIGIT_BITS;

    private final int[] counts = new int[DIGITS];

    void compute(Limiting limiting) {
        long bytes = limiting.values() * Float.BYTES;
        for (int picture = 0; picture < limiting.pictures(); picture++) {
            Slice in = limiting.in().slice(picture * bytes, bytes);
            Slice out = limiting.out().slice(picture * bytes, bytes);
            switch (limiting.limit()) {
                case Limit.Clamp clamp -> bound(in, out, clamp.range(), 1);
                case Limit.DynamicThreshold threshold -> {
                    float bound = bound(in, threshold);
                    bound(in, out, bound, bound);
                }
            }
        }
    }

    private static void bound(Slice in, Slice out, float bound, float divisor) {
        MemorySegment from = segment(in);
        MemorySegment to = segment(out);
        for (long at = 0; at < in.bytes(); at += Float.BYTES) {
            float value = from.get(FLOAT, in.offset() + at);
            float bounded = value > bound ? bound : value < -bound ? -bound : value;
            to.set(FLOAT, out.offset() + at, bounded / divisor);
        }
    }

    private float bound(Slice in, Limit.DynamicThreshold threshold) {
        float rank = threshold.rank(in.bytes() / Float.BYTES);
        float quantile = quantile(in, (long) rank, rank - (long) rank);
        float raised = quantile >= 1 ? quantile : 1;
        return raised > threshold.largest() ? threshold.largest() : raised;
    }

    /**
     * Finds the magnitude with an index in ascending order, by its bits, eight at a time from the highest: as integers
     * they are in the order of the numbers. Then the next one, of which a share is taken.
     */
    private float quantile(Slice in, long index, float share) {
        MemorySegment values = segment(in);
        long end = in.offset() + in.bytes();
        long left = index;
        int found = 0;
        int known = SIGN;
        int digit = 0;
        for (int shift = Integer.SIZE - DIGIT_BITS; shift >= 0; shift -= DIGIT_BITS) {
            count(values, in.offset(), end, found, known, shift);
            for (digit = 0; left >= counts[digit]; digit++) {
                left -= counts[digit];
            }
            found |= digit << shift;
            known |= DIGITS - 1 << shift;
        }
        float below = Float.intBitsToFloat(found);
        if (share == 0) {
            return below;
        }
        float above = left + 1 < counts[digit] ? below : Float.intBitsToFloat(next(values, in.offset(), end, found));
        float step = above - below;
        return share < 0.5f ? below + share * step : above - step * (1 - share);
    }

    private void count(MemorySegment values, long start, long end, int found, int known, int shift) {
        Arrays.fill(counts, 0);
        for (long at = start; at < end; at += Float.BYTES) {
            int magnitude = values.get(BITS, at) & ~SIGN;
            if ((magnitude & known) == found) {
                counts[magnitude >>> shift & DIGITS - 1]++;
            }
        }
    }

    private static int next(MemorySegment values, long start, long end, int found) {
        int next = Integer.MAX_VALUE;
        for (long at = start; at < end; at += Float.BYTES) {
            int magnitude = values.get(BITS, at) & ~SIGN;
            if (magnitude > found && magnitude < next) {
                next = magnitude;
            }
        }
        return next;
    }

    private static MemorySegment segment(Slice slice) {
        return ((CpuBuffer) slice.buffer()).segment();
    }
}
