/* out = sum of weight[i] * in[i], in fp32, the first term first. Safe where out is one of the inputs. */
#include "kernel.h"

DEVICE void combine(CombineArguments arguments, ElementType type) {
    int64_t stride = index_stride();
    for (int64_t i = first_index(); i < arguments.count; i += stride) {
        float sum = multiply(arguments.weights[0], load(arguments.in[0], i, type));
        /* A loop to MAX_TERMS unrolls, and so the arguments stay in constant memory. */
        for (int term = 1; term < MAX_TERMS; term++) {
            if (term < arguments.terms) {
                sum = add(sum, multiply(arguments.weights[term], load(arguments.in[term], i, type)));
            }
        }
        store(arguments.out, i, type, sum);
    }
}

KERNEL combine_f32(CombineArguments arguments) {
    combine(arguments, F32);
}

KERNEL combine_f16(CombineArguments arguments) {
    combine(arguments, F16);
}

KERNEL combine_bf16(CombineArguments arguments) {
    combine(arguments, BF16);
}
