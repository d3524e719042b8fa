/* Element types into one another, to nearest even; what is too large for fp16 becomes infinite. No overlap. */
#include "kernel.h"

DEVICE void cast(CastArguments arguments, ElementType from, ElementType to) {
    int64_t stride = index_stride();
    for (int64_t i = first_index(); i < arguments.count; i += stride) {
        store(arguments.out, i, to, load(arguments.in, i, from));
    }
}

KERNEL cast_f32_f16(CastArguments arguments) {
    cast(arguments, F32, F16);
}

KERNEL cast_f32_bf16(CastArguments arguments) {
    cast(arguments, F32, BF16);
}

KERNEL cast_f16_f32(CastArguments arguments) {
    cast(arguments, F16, F32);
}

KERNEL cast_f16_bf16(CastArguments arguments) {
    cast(arguments, F16, BF16);
}

KERNEL cast_bf16_f32(CastArguments arguments) {
    cast(arguments, BF16, F32);
}

KERNEL cast_bf16_f16(CastArguments arguments) {
    cast(arguments, BF16, F16);
}
