/* The kernels of native/src, run on the host one thread of the grid after another. */
#include "fake.h"
#include "../src/kernels.cu"

#define RUN(name, Arguments) \
    static void run_##name(const void *arguments, int64_t threads) { \
        threads_in_grid = threads; \
        for (thread_of_grid = 0; thread_of_grid < threads; thread_of_grid++) { \
            name(*(const Arguments *) arguments); \
        } \
    }

#define KERNELS(EACH) \
    EACH(combine_f32, CombineArguments) \
    EACH(combine_f16, CombineArguments) \
    EACH(combine_bf16, CombineArguments) \
    EACH(cast_f32_f16, CastArguments) \
    EACH(cast_f32_bf16, CastArguments) \
    EACH(cast_f16_f32, CastArguments) \
    EACH(cast_f16_bf16, CastArguments) \
    EACH(cast_bf16_f32, CastArguments) \
    EACH(cast_bf16_f16, CastArguments) \
    EACH(fill_b32, FillArguments) \
    EACH(fill_b16, FillArguments) \
    EACH(normal_f32, NormalArguments) \
    EACH(image_rgb8, ImageArguments) \
    EACH(guard_f32, GuardArguments) \
    EACH(guard_f16, GuardArguments) \
    EACH(guard_bf16, GuardArguments) \
    EACH(rescale_spread_f32, RescaleArguments) \
    EACH(rescale_f32, RescaleArguments) \
    EACH(clamp_f32, ClampArguments) \
    EACH(threshold_f32, ThresholdArguments) \
    EACH(change_lanes_f32, ChangeArguments) \
    EACH(change_f32, ChangeArguments)

KERNELS(RUN)

#define ENTRY(name, Arguments) {#name, sizeof(Arguments), run_##name},

static const Kernel kernels[] = {KERNELS(ENTRY)};

const Kernel *find_kernel(const char *name) {
    for (size_t i = 0; i < sizeof kernels / sizeof kernels[0]; i++) {
        if (strcmp(kernels[i].name, name) == 0) {
            return &kernels[i];
        }
    }
    return NULL;
}
