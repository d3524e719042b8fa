/*
 * A decoder's output [3, height, width] in fp32, -1 for black to 1 for full, as 8-bit RGB [height, width, 3]: the same
 * bytes as dev.slipstream.pipelines.diffusion.image.Image, which clamps, and rounds to even. Only NaN differs: there it
 * is an error, here it becomes 0; the guard finds it.
 */
#include "kernel.h"

#define CHANNELS 3

KERNEL image_rgb8(ImageArguments arguments) {
    int64_t stride = index_stride();
    for (int64_t i = first_index(); i < arguments.plane; i += stride) {
        for (int channel = 0; channel < CHANNELS; channel++) {
            float value = arguments.in[channel * arguments.plane + i];
            float unit = fminf(fmaxf(add(multiply(value, 0.5f), 0.5f), 0.0f), 1.0f);
            arguments.out[i * CHANNELS + channel] = (uint8_t) rintf(multiply(unit, 255.0f));
        }
    }
}
