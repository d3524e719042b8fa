/* All kernels as one module: what make-ptx compiles, and what the stand-in for the driver runs. */
#include "combine.cu"
#include "cast.cu"
#include "fill.cu"
#include "normal.cu"
#include "image.cu"
#include "guard.cu"
#include "rescale.cu"
#include "limit.cu"
