/*
 * Guidance rescale: out = guided * (strength * deviation(text) / deviation(guided) + 1 - strength), for each picture. Two
 * launches: the first adds up each lane of a picture, every SPREAD_LANES-th element, and the second adds up the lanes.
 * Squares of floats are exact in double precision and the order is fixed, so the bits are those of the CPU provider.
 */
#include "kernel.h"

KERNEL rescale_spread_f32(RescaleArguments arguments) {
    int64_t lanes = (int64_t) arguments.pictures * SPREAD_LANES;
    for (int64_t lane = first_index(); lane < lanes; lane += index_stride()) {
        int64_t start = lane / SPREAD_LANES * arguments.count;
        Spread sums = {0, 0, 0, 0};
        for (int64_t i = lane % SPREAD_LANES; i < arguments.count; i += SPREAD_LANES) {
            double text = arguments.text[start + i];
            double guided = arguments.guided[start + i];
            sums.text += text;
            sums.text_squares += text * text;
            sums.guided += guided;
            sums.guided_squares += guided * guided;
        }
        arguments.spreads[lane] = sums;
    }
}

/* Of sums over count elements; one less or more in the divisor makes no difference to a ratio. */
DEVICE double variance(double sum, double squares, int64_t count) {
    double value = squares - sum * sum / (double) count;
    return value < 0 ? 0 : value;
}

DEVICE float rescale_factor(const Spread *lanes, int64_t count, float strength) {
    Spread sums = lanes[0];
    for (int lane = 1; lane < SPREAD_LANES; lane++) {
        sums.text += lanes[lane].text;
        sums.text_squares += lanes[lane].text_squares;
        sums.guided += lanes[lane].guided;
        sums.guided_squares += lanes[lane].guided_squares;
    }
    double guided = variance(sums.guided, sums.guided_squares, count);
    if (guided == 0) {
        return 1;
    }
    float ratio = (float) sqrt(variance(sums.text, sums.text_squares, count) / guided);
    return add(multiply(strength, ratio), add(1, -strength));
}

KERNEL rescale_f32(RescaleArguments arguments) {
    int64_t all = arguments.pictures * arguments.count;
    int64_t known = -1;
    float factor = 1;
    for (int64_t i = first_index(); i < all; i += index_stride()) {
        int64_t picture = i / arguments.count;
        if (picture != known) {
            factor = rescale_factor(arguments.spreads + picture * SPREAD_LANES, arguments.count, arguments.strength);
            known = picture;
        }
        arguments.out[i] = multiply(factor, arguments.guided[i]);
    }
}
