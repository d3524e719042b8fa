/* Lowers *mark to label if an element is NaN or infinite, so that the mark names the first segment with a bad value. */
#include "kernel.h"

DEVICE int is_finite(const void *tensor, int64_t index, ElementType type) {
    uint32_t exponent = type == F16 ? 0x7C00u : type == BF16 ? 0x7F80u : 0x7F800000u;
    uint32_t bits = type == F32 ? ((const uint32_t *) tensor)[index] : ((const uint16_t *) tensor)[index];
    return (bits & exponent) != exponent;
}

DEVICE void guard(GuardArguments arguments, ElementType type) {
    int bad = 0;
    int64_t stride = index_stride();
    for (int64_t i = first_index(); i < arguments.count; i += stride) {
        bad |= !is_finite(arguments.in, i, type);
    }
    if (bad) {
        lower_to(arguments.mark, arguments.label);
    }
}

KERNEL guard_f32(GuardArguments arguments) {
    guard(arguments, F32);
}

KERNEL guard_f16(GuardArguments arguments) {
    guard(arguments, F16);
}

KERNEL guard_bf16(GuardArguments arguments) {
    guard(arguments, BF16);
}
