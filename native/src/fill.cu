/* One bit pattern in every element. */
#include "kernel.h"

KERNEL fill_b32(FillArguments arguments) {
    int64_t stride = index_stride();
    for (int64_t i = first_index(); i < arguments.count; i += stride) {
        ((uint32_t *) arguments.out)[i] = arguments.pattern;
    }
}

KERNEL fill_b16(FillArguments arguments) {
    int64_t stride = index_stride();
    for (int64_t i = first_index(); i < arguments.count; i += stride) {
        ((uint16_t *) arguments.out)[i] = (uint16_t) arguments.pattern;
    }
}
