/*
 * Standard normal numbers: Philox 4x32-10 (Salmon et al. 2011) and the transform of Box and Muller (1958), the same
 * sequence as dev.slipstream.pipelines.diffusion.noise.Noise up to the rounding to fp32.
 *
 * Element e is lane e % 4 of the block of counter words (e / 4, stream), each 64 bits with the lower word first, and of
 * the key (seed). stream is the purpose of the noise in the upper and its index in the lower 32 bits. Lanes 0 and 1 are
 * made of words 0 and 1, lanes 2 and 3 of words 2 and 3: radius of the first word, angle of the second.
 */
#include "kernel.h"

#define ROUNDS 10
#define LANES 4

DEVICE void philox(uint64_t low, uint64_t high, uint64_t key, uint32_t words[LANES]) {
    uint32_t w0 = (uint32_t) low;
    uint32_t w1 = (uint32_t) (low >> 32);
    uint32_t w2 = (uint32_t) high;
    uint32_t w3 = (uint32_t) (high >> 32);
    uint32_t k0 = (uint32_t) key;
    uint32_t k1 = (uint32_t) (key >> 32);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t product0 = (uint64_t) 0xD2511F53u * w0;
        uint64_t product1 = (uint64_t) 0xCD9E8D57u * w2;
        w0 = (uint32_t) (product1 >> 32) ^ w1 ^ k0;
        w1 = (uint32_t) product1;
        w2 = (uint32_t) (product0 >> 32) ^ w3 ^ k1;
        w3 = (uint32_t) product0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    words[0] = w0;
    words[1] = w1;
    words[2] = w2;
    words[3] = w3;
}

/* Between 0 and 1 and never one of them, so that the logarithm is finite. */
DEVICE double uniform(uint32_t word) {
    return (word + 0.5) * 0x1p-32;
}

KERNEL normal_f32(NormalArguments arguments) {
    uint64_t end = arguments.first + (uint64_t) arguments.count;
    uint64_t blocks = (end + LANES - 1) / LANES;
    uint64_t stride = (uint64_t) index_stride();
    for (uint64_t b = arguments.first / LANES + (uint64_t) first_index(); b < blocks; b += stride) {
        uint32_t words[LANES];
        philox(b, arguments.stream, arguments.seed, words);
        for (int pair = 0; pair < LANES; pair += 2) {
            double radius = sqrt(-2 * log(uniform(words[pair])));
            /* In half turns: exact to reduce, where an angle in radians would need a slow path for large ones. */
            double sine;
            double cosine;
            sincospi(2 * uniform(words[pair + 1]), &sine, &cosine);
            uint64_t element = b * LANES + (uint64_t) pair;
            if (element >= arguments.first && element < end) {
                arguments.out[element - arguments.first] = (float) (radius * cosine);
            }
            if (element + 1 >= arguments.first && element + 1 < end) {
                arguments.out[element + 1 - arguments.first] = (float) (radius * sine);
            }
        }
    }
}
