/*
 * A CUDA driver that does nothing: every function that Slipstream calls returns success at once, so that what is
 * measured is the way into native code and back. It has one device, and one address for all that it hands out.
 */
#include <stdalign.h>
#include <stddef.h>
#include <stdio.h>

enum {ATTRIBUTE_MAJOR = 75, ATTRIBUTE_MINOR = 76, MEMORY_BYTES = 1 << 20};

static alignas(4096) char memory[MEMORY_BYTES];

/* Results are enumerations in cuda.h, which are passed like int; arguments that nobody looks at are left out. */
#define DOES_NOTHING(name) int name(void) { return 0; }
#define MAKES_SOMETHING(name) int name(void **out) { *out = memory; return 0; }

MAKES_SOMETHING(cuDevicePrimaryCtxRetain)
MAKES_SOMETHING(cuMemPoolCreate)
MAKES_SOMETHING(cuMemAllocFromPoolAsync)
MAKES_SOMETHING(cuMemHostAlloc)
MAKES_SOMETHING(cuStreamCreateWithPriority)
MAKES_SOMETHING(cuEventCreate)
MAKES_SOMETHING(cuGraphInstantiateWithFlags)
MAKES_SOMETHING(cuModuleLoadDataEx)
MAKES_SOMETHING(cuModuleGetFunction)

DOES_NOTHING(cuInit)
DOES_NOTHING(cuDevicePrimaryCtxRelease_v2)
DOES_NOTHING(cuCtxSetCurrent)
DOES_NOTHING(cuMemPoolDestroy)
DOES_NOTHING(cuMemPoolSetAccess)
DOES_NOTHING(cuMemPoolSetAttribute)
DOES_NOTHING(cuMemFreeAsync)
DOES_NOTHING(cuMemFreeHost)
DOES_NOTHING(cuMemcpyHtoDAsync_v2)
DOES_NOTHING(cuMemcpyDtoHAsync_v2)
DOES_NOTHING(cuMemcpyDtoDAsync_v2)
DOES_NOTHING(cuMemcpyPeerAsync)
DOES_NOTHING(cuStreamDestroy_v2)
DOES_NOTHING(cuStreamQuery)
DOES_NOTHING(cuStreamWaitEvent)
DOES_NOTHING(cuEventDestroy_v2)
DOES_NOTHING(cuEventQuery)
DOES_NOTHING(cuEventRecord)
DOES_NOTHING(cuStreamBeginCapture_v2)
DOES_NOTHING(cuGraphLaunch)
DOES_NOTHING(cuGraphExecDestroy)
DOES_NOTHING(cuGraphDestroy)
DOES_NOTHING(cuModuleUnload)
DOES_NOTHING(cuLaunchKernel)
DOES_NOTHING(cuLaunchHostFunc)

static int set(int *out, int value) {
    *out = value;
    return 0;
}

static int text(const char **out) {
    *out = "from a driver that does nothing";
    return 0;
}

int cuDriverGetVersion(int *out) {
    return set(out, 13000);
}

int cuDeviceGetCount(int *out) {
    return set(out, 1);
}

int cuDeviceGet(int *out) {
    return set(out, 0);
}

int cuDeviceCanAccessPeer(int *out) {
    return set(out, 0);
}

int cuDeviceGetAttribute(int *out, int attribute) {
    return set(out, attribute == ATTRIBUTE_MAJOR ? 9 : attribute == ATTRIBUTE_MINOR ? 0 : 1);
}

int cuDeviceGetName(char *name, int size) {
    snprintf(name, (size_t) size, "nothing");
    return 0;
}

int cuDeviceTotalMem_v2(size_t *bytes) {
    *bytes = MEMORY_BYTES;
    return 0;
}

int cuMemGetInfo_v2(size_t *free_bytes, size_t *total) {
    *free_bytes = MEMORY_BYTES;
    *total = MEMORY_BYTES;
    return 0;
}

int cuStreamEndCapture(const void *stream, void **graph) {
    (void) stream;
    *graph = memory;
    return 0;
}

int cuEventElapsedTime(float *milliseconds) {
    *milliseconds = 0;
    return 0;
}

int cuGetErrorName(int code, const char **out) {
    (void) code;
    return text(out);
}

int cuGetErrorString(int code, const char **out) {
    (void) code;
    return text(out);
}
