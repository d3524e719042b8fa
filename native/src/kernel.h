/*
 * The little that the kernels need of a device. They are written in the C that CUDA and C11 share, so that the tests can
 * run the same lines on the host: native/testing/on_host.h stands for the upper half of this file there.
 *
 * Half precision is converted by hand: cuda_fp16.h and cuda_bf16.h emit instructions that need later targets.
 */
#ifndef SLIPSTREAM_KERNEL_H
#define SLIPSTREAM_KERNEL_H

#include "arguments.h"

#ifdef __CUDACC__

#define KERNEL extern "C" __global__ void
#define DEVICE static __device__ __forceinline__

DEVICE int64_t first_index(void) {
    return (int64_t) blockIdx.x * blockDim.x + threadIdx.x;
}

DEVICE int64_t index_stride(void) {
    return (int64_t) gridDim.x * blockDim.x;
}

DEVICE int64_t block_of_grid(void) {
    return blockIdx.x;
}

DEVICE int64_t grid_blocks(void) {
    return gridDim.x;
}

DEVICE int thread_of_block(void) {
    return threadIdx.x;
}

DEVICE int block_threads(void) {
    return blockDim.x;
}

/* Memory of the block. Every thread of it comes to each barrier. */
#define BLOCK_SHARED __shared__

DEVICE void block_barrier(void) {
    __syncthreads();
}

DEVICE uint32_t bits_of(float value) {
    return __float_as_uint(value);
}

DEVICE float float_of(uint32_t bits) {
    return __uint_as_float(bits);
}

DEVICE float half_to_float(uint16_t half) {
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(half));
    return value;
}

DEVICE uint16_t float_to_half(float value) {
    uint16_t half;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(half) : "f"(value));
    return half;
}

/* Never fused, so that the sums have the same bits on every provider. */
DEVICE float multiply(float a, float b) {
    return __fmul_rn(a, b);
}

DEVICE float add(float a, float b) {
    return __fadd_rn(a, b);
}

DEVICE float divide(float a, float b) {
    return __fdiv_rn(a, b);
}

DEVICE void count_up(uint32_t *address) {
    atomicAdd(address, 1u);
}

DEVICE void lower_to(int32_t *address, int32_t value) {
    atomicMin(address, value);
}

#else
#include "../testing/on_host.h"
#endif

typedef enum { F32, F16, BF16 } ElementType;

DEVICE float bfloat16_to_float(uint16_t value) {
    return float_of((uint32_t) value << 16);
}

/* To nearest, ties to even; a NaN stays one, though its payload may lie in the bits that are cut off. */
DEVICE uint16_t float_to_bfloat16(float value) {
    uint32_t bits = bits_of(value);
    if ((bits & 0x7FFFFFFFu) > 0x7F800000u) {
        return (uint16_t) (bits >> 16 | 0x40u);
    }
    return (uint16_t) ((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16);
}

DEVICE float load(const void *tensor, int64_t index, ElementType type) {
    switch (type) {
        case F16: return half_to_float(((const uint16_t *) tensor)[index]);
        case BF16: return bfloat16_to_float(((const uint16_t *) tensor)[index]);
        default: return ((const float *) tensor)[index];
    }
}

DEVICE void store(void *tensor, int64_t index, ElementType type, float value) {
    switch (type) {
        case F16: ((uint16_t *) tensor)[index] = float_to_half(value); break;
        case BF16: ((uint16_t *) tensor)[index] = float_to_bfloat16(value); break;
        default: ((float *) tensor)[index] = value; break;
    }
}

#endif
