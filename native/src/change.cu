/*
 * How far a tensor has moved: out = sum |now - then| / sum |then|. Two launches: the first adds up each lane, every
 * CHANGE_LANES-th element, and in the second a block adds up the lanes, first those of each of its groups. All is in double
 * precision and in an order of its own whatever the grid, so the bits are those of the CPU provider.
 */
#include "kernel.h"

DEVICE double magnitude(double value) {
    return value < 0 ? -value : value;
}

KERNEL change_lanes_f32(ChangeArguments arguments) {
    for (int64_t lane = first_index(); lane < CHANGE_LANES; lane += index_stride()) {
        Change sums = {0, 0};
        for (int64_t i = lane; i < arguments.count; i += CHANGE_LANES) {
            double then = arguments.then[i];
            sums.moved += magnitude((double) arguments.now[i] - then);
            sums.size += magnitude(then);
        }
        arguments.sums[lane] = sums;
    }
}

/* The first block alone. */
KERNEL change_f32(ChangeArguments arguments) {
    BLOCK_SHARED Change groups[CHANGE_GROUPS];
    if (block_of_grid() > 0) {
        return;
    }
    for (int group = thread_of_block(); group < CHANGE_GROUPS; group += block_threads()) {
        Change sums = {0, 0};
        for (int lane = group; lane < CHANGE_LANES; lane += CHANGE_GROUPS) {
            sums.moved += arguments.sums[lane].moved;
            sums.size += arguments.sums[lane].size;
        }
        groups[group] = sums;
    }
    block_barrier();
    if (thread_of_block() == 0) {
        Change all = {0, 0};
        for (int group = 0; group < CHANGE_GROUPS; group++) {
            all.moved += groups[group].moved;
            all.size += groups[group].size;
        }
        *arguments.out = (float) (all.moved / all.size);
    }
}
