/* What native/src/kernel.h takes from CUDA, in C: the tests run the lines of the kernels as they are, thread by thread. */
#ifndef SLIPSTREAM_ON_HOST_H
#define SLIPSTREAM_ON_HOST_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define KERNEL static void
#define DEVICE static inline

static _Thread_local int64_t thread_of_grid;
static _Thread_local int64_t threads_in_grid;

DEVICE int64_t first_index(void) {
    return thread_of_grid;
}

DEVICE int64_t index_stride(void) {
    return threads_in_grid;
}

/* Blocks of one thread, so that nobody waits at a barrier: the grid has as many as it has threads. */
DEVICE int64_t block_of_grid(void) {
    return thread_of_grid;
}

DEVICE int64_t grid_blocks(void) {
    return threads_in_grid;
}

DEVICE int thread_of_block(void) {
    return 0;
}

DEVICE int block_threads(void) {
    return 1;
}

#define BLOCK_SHARED

DEVICE void block_barrier(void) {
}

DEVICE uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

DEVICE float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

DEVICE float half_to_float(uint16_t half) {
    uint32_t sign = (uint32_t) (half & 0x8000u) << 16;
    uint32_t exponent = half >> 10 & 0x1Fu;
    uint32_t fraction = half & 0x3FFu;
    if (exponent == 0x1Fu) {
        return float_of(sign | 0x7F800000u | fraction << 13);
    }
    if (exponent == 0) {
        return float_of(sign | bits_of((float) fraction * 0x1p-24f));
    }
    return float_of(sign | (exponent + 127 - 15) << 23 | fraction << 13);
}

DEVICE uint16_t float_to_half(float value) {
    uint32_t bits = bits_of(value);
    uint32_t sign = bits >> 16 & 0x8000u;
    uint32_t size = bits & 0x7FFFFFFFu;
    if (size > 0x7F800000u) {
        return 0x7FFF; /* the one NaN that cvt.rn.f16.f32 makes */
    }
    if (size >= 0x477FF000u) {
        return (uint16_t) (sign | 0x7C00u); /* 65520 and more */
    }
    if (size < 0x38800000u) {
        /* A multiple of 2^-24: adding 1/2 leaves it, rounded by the hardware, in the lowest bits. */
        return (uint16_t) (sign | (bits_of(float_of(size) + 0.5f) - bits_of(0.5f)));
    }
    uint32_t rounded = size + 0xFFFu + (size >> 13 & 1u);
    return (uint16_t) (sign | (rounded - ((127 - 15) << 23)) >> 13);
}

DEVICE float multiply(float a, float b) {
    return a * b;
}

DEVICE float add(float a, float b) {
    return a + b;
}

DEVICE float divide(float a, float b) {
    return a / b;
}

DEVICE void count_up(uint32_t *address) {
    (*address)++;
}

DEVICE void sincospi(double half_turns, double *sine, double *cosine) {
    double angle = half_turns * 3.14159265358979323846;
    *sine = sin(angle);
    *cosine = cos(angle);
}

DEVICE void lower_to(int32_t *address, int32_t value) {
    int32_t old = __atomic_load_n(address, __ATOMIC_RELAXED);
    while (value < old
            && !__atomic_compare_exchange_n(address, &old, value, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

#endif
