/*
 * Bounds for the values of pictures: a fixed one (clamp), and dynamic thresholding (Saharia et al. 2022), where a block
 * finds the quantile of its picture's magnitudes exactly, by their bits, eight at a time from the highest: as integers
 * they are in the order of the numbers. The bits are those of the CPU provider, whatever the size of the blocks.
 */
#include "kernel.h"

#define DIGIT_BITS 8
#define DIGITS (1 << DIGIT_BITS)
#define MAGNITUDE 0x7FFFFFFFu

DEVICE float bounded(float value, float bound) {
    return value > bound ? bound : value < -bound ? -bound : value;
}

KERNEL clamp_f32(ClampArguments arguments) {
    for (int64_t i = first_index(); i < arguments.count; i += index_stride()) {
        arguments.out[i] = bounded(arguments.in[i], arguments.range);
    }
}

/* How often each digit occurs among the magnitudes whose known bits are those that were found. */
DEVICE void count_digits(uint32_t *counts, const float *in, int64_t count, uint32_t found, uint32_t known, int shift) {
    for (int digit = thread_of_block(); digit < DIGITS; digit += block_threads()) {
        counts[digit] = 0;
    }
    block_barrier();
    for (int64_t i = thread_of_block(); i < count; i += block_threads()) {
        uint32_t magnitude = bits_of(in[i]) & MAGNITUDE;
        if ((magnitude & known) == found) {
            count_up(&counts[magnitude >> shift & (DIGITS - 1)]);
        }
    }
    block_barrier();
}

/* Lowers *next to the least magnitude that is greater than the one that was found. */
DEVICE void find_next(int32_t *next, const float *in, int64_t count, uint32_t found) {
    uint32_t least = MAGNITUDE;
    for (int64_t i = thread_of_block(); i < count; i += block_threads()) {
        uint32_t magnitude = bits_of(in[i]) & MAGNITUDE;
        if (magnitude > found && magnitude < least) {
            least = magnitude;
        }
    }
    lower_to(next, (int32_t) least);
    block_barrier();
}

/* The magnitude with an index in ascending order, and a share of the way to the next; the same for each thread. */
DEVICE float quantile(uint32_t *counts, int32_t *next, const float *in, int64_t count, int64_t index, float share) {
    uint32_t found = 0;
    uint32_t known = ~MAGNITUDE;
    int64_t left = index;
    int digit = 0;
    if (thread_of_block() == 0) {
        *next = (int32_t) MAGNITUDE;
    }
    for (int shift = 32 - DIGIT_BITS; shift >= 0; shift -= DIGIT_BITS) {
        count_digits(counts, in, count, found, known, shift);
        for (digit = 0; left >= counts[digit]; digit++) {
            left -= counts[digit];
        }
        found |= (uint32_t) digit << shift;
        known |= (uint32_t) (DIGITS - 1) << shift;
        if (shift > 0) {
            block_barrier(); /* before the counts are cleared */
        }
    }
    float below = float_of(found);
    if (share == 0) {
        return below;
    }
    float above = below;
    if (left + 1 >= counts[digit]) {
        find_next(next, in, count, found);
        above = float_of((uint32_t) *next);
    }
    float step = add(above, -below);
    return share < 0.5f ? add(below, multiply(share, step)) : add(above, -multiply(step, add(1, -share)));
}

KERNEL threshold_f32(ThresholdArguments arguments) {
    BLOCK_SHARED uint32_t counts[DIGITS];
    BLOCK_SHARED int32_t next;
    for (int64_t picture = block_of_grid(); picture < arguments.pictures; picture += grid_blocks()) {
        const float *in = arguments.in + picture * arguments.count;
        float *out = arguments.out + picture * arguments.count;
        float large = quantile(counts, &next, in, arguments.count, arguments.index, arguments.share);
        float raised = large >= 1 ? large : 1;
        float bound = raised > arguments.largest ? arguments.largest : raised;
        block_barrier(); /* before values and counts change that others still read */
        for (int64_t i = thread_of_block(); i < arguments.count; i += block_threads()) {
            out[i] = divide(bounded(in[i], bound), bound);
        }
    }
}
