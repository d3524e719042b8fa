/*
 * What each kernel is given: one struct by value, so that a launch has one parameter. Java writes these layouts
 * (native/README.md has them with offsets), the kernels and the stand-in for the driver read them.
 */
#ifndef SLIPSTREAM_ARGUMENTS_H
#define SLIPSTREAM_ARGUMENTS_H

#include <stdint.h>

#define MAX_TERMS 8
#define SPREAD_LANES 256
#define CHANGE_LANES 16384
#define CHANGE_GROUPS 256

/* Counts are elements of the tensor that is written or, for the guard, read. Addresses are of device memory. */

typedef struct {
    const void *in[MAX_TERMS];
    float weights[MAX_TERMS];
    void *out;
    int64_t count;
    int32_t terms;
} CombineArguments;

typedef struct {
    const void *in;
    void *out;
    int64_t count;
} CastArguments;

typedef struct {
    void *out;
    int64_t count;
    uint32_t pattern;
} FillArguments;

typedef struct {
    float *out;
    int64_t count;
    uint64_t first;
    uint64_t seed;
    uint64_t stream;
} NormalArguments;

typedef struct {
    const float *in;
    uint8_t *out;
    int64_t plane;
} ImageArguments;

typedef struct {
    const void *in;
    int32_t *mark;
    int64_t count;
    int32_t label;
} GuardArguments;

/* Sums of every SPREAD_LANES-th element of a picture. */
typedef struct {
    double text;
    double text_squares;
    double guided;
    double guided_squares;
} Spread;

/* The count is of one picture; there are SPREAD_LANES spreads for each. */
typedef struct {
    const float *text;
    const float *guided;
    float *out;
    Spread *spreads;
    int64_t count;
    int32_t pictures;
    float strength;
} RescaleArguments;

typedef struct {
    const float *in;
    float *out;
    int64_t count;
    float range;
} ClampArguments;

/*
 * The count is of one picture. The quantile is the magnitude with this index in ascending order, and a share of the way to
 * the next.
 */
typedef struct {
    const float *in;
    float *out;
    int64_t count;
    int64_t index;
    float share;
    float largest;
    int32_t pictures;
} ThresholdArguments;

/* Sums of every CHANGE_LANES-th element. */
typedef struct {
    double moved;
    double size;
} Change;

/* The count is of the tensors; there are CHANGE_LANES sums. */
typedef struct {
    const float *now;
    const float *then;
    Change *sums;
    float *out;
    int64_t count;
} ChangeArguments;

#endif
