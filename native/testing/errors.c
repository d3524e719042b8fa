/* Names and texts of results. Never counted, never failed: they say what went wrong. */
#include "cuda_abi.h"

typedef struct {
    int code;
    const char *name;
    const char *text;
} Result;

static const Result results[] = {
    {0, "CUDA_SUCCESS", "no error"},
    {1, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {2, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {3, "CUDA_ERROR_NOT_INITIALIZED", "the driver is not initialised"},
    {4, "CUDA_ERROR_DEINITIALIZED", "the driver is shutting down"},
    {34, "CUDA_ERROR_STUB_LIBRARY", "the library is a stub"},
    {46, "CUDA_ERROR_DEVICE_UNAVAILABLE", "the device is busy or not available"},
    {100, "CUDA_ERROR_NO_DEVICE", "no CUDA device is there"},
    {101, "CUDA_ERROR_INVALID_DEVICE", "no such device"},
    {200, "CUDA_ERROR_INVALID_IMAGE", "the kernel image is not valid"},
    {201, "CUDA_ERROR_INVALID_CONTEXT", "no valid context is current"},
    {209, "CUDA_ERROR_NO_BINARY_FOR_GPU", "the image holds no kernel for this device"},
    {214, "CUDA_ERROR_ECC_UNCORRECTABLE", "an ECC error could not be corrected"},
    {217, "CUDA_ERROR_PEER_ACCESS_UNSUPPORTED", "the devices cannot access each other"},
    {218, "CUDA_ERROR_INVALID_PTX", "the PTX does not compile"},
    {220, "CUDA_ERROR_NVLINK_UNCORRECTABLE", "an NVLink error could not be corrected"},
    {222, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "the PTX is newer than the driver"},
    {226, "CUDA_ERROR_CONTAINED", "a memory error was contained"},
    {302, "CUDA_ERROR_SHARED_OBJECT_SYMBOL_NOT_FOUND", "a symbol of a library is missing"},
    {304, "CUDA_ERROR_OPERATING_SYSTEM", "a call to the operating system failed"},
    {400, "CUDA_ERROR_INVALID_HANDLE", "the handle is not valid"},
    {401, "CUDA_ERROR_ILLEGAL_STATE", "the object is in a state that does not allow this"},
    {500, "CUDA_ERROR_NOT_FOUND", "the named symbol was not found"},
    {600, "CUDA_ERROR_NOT_READY", "the device is not ready"},
    {700, "CUDA_ERROR_ILLEGAL_ADDRESS", "a kernel used memory that it must not"},
    {701, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", "a launch asks for too many resources"},
    {702, "CUDA_ERROR_LAUNCH_TIMEOUT", "a kernel ran too long"},
    {704, "CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED", "peer access is enabled already"},
    {705, "CUDA_ERROR_PEER_ACCESS_NOT_ENABLED", "peer access is not enabled"},
    {709, "CUDA_ERROR_CONTEXT_IS_DESTROYED", "the context is destroyed"},
    {710, "CUDA_ERROR_ASSERT", "an assertion of a kernel failed"},
    {714, "CUDA_ERROR_HARDWARE_STACK_ERROR", "the hardware's call stack is damaged"},
    {715, "CUDA_ERROR_ILLEGAL_INSTRUCTION", "a kernel met an instruction that it must not"},
    {716, "CUDA_ERROR_MISALIGNED_ADDRESS", "a kernel used a misaligned address"},
    {717, "CUDA_ERROR_INVALID_ADDRESS_SPACE", "a kernel used an address of another space"},
    {718, "CUDA_ERROR_INVALID_PC", "a kernel's program counter left it"},
    {719, "CUDA_ERROR_LAUNCH_FAILED", "a kernel failed"},
    {721, "CUDA_ERROR_TENSOR_MEMORY_LEAK", "a kernel ended without freeing tensor memory"},
    {800, "CUDA_ERROR_NOT_PERMITTED", "the call is not permitted here"},
    {801, "CUDA_ERROR_NOT_SUPPORTED", "the call is not supported"},
    {802, "CUDA_ERROR_SYSTEM_NOT_READY", "the system is not ready"},
    {803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", "kernel module and driver library do not fit each other"},
    {804, "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE", "the device does not support forward compatibility"},
    {810, "CUDA_ERROR_MPS_CLIENT_TERMINATED", "the MPS client was terminated"},
    {900, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "the call is not permitted while a stream is captured"},
    {901, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", "an earlier error invalidated the capture"},
    {905, "CUDA_ERROR_STREAM_CAPTURE_ISOLATION", "a capture would depend on work outside of it"},
    {906, "CUDA_ERROR_STREAM_CAPTURE_IMPLICIT", "a capture would depend on the default stream"},
    {908, "CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD", "another thread began this capture"},
    {909, "CUDA_ERROR_TIMEOUT", "the time for the operation is over"},
    {911, "CUDA_ERROR_EXTERNAL_DEVICE", "an error outside of the device"},
    {912, "CUDA_ERROR_INVALID_CLUSTER_SIZE", "the cluster does not fit the kernel"},
    {999, "CUDA_ERROR_UNKNOWN", "unknown error"},
};

static const Result *find(CUresult error) {
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        if (results[i].code == (int) error) {
            return &results[i];
        }
    }
    return NULL;
}

CUresult cuGetErrorName(CUresult error, const char **name) {
    const Result *result = find(error);
    *name = result == NULL ? NULL : result->name;
    return result == NULL ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

CUresult cuGetErrorString(CUresult error, const char **text) {
    const Result *result = find(error);
    *text = result == NULL ? NULL : result->text;
    return result == NULL ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}
