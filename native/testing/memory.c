/* Copies and fills of device memory, which is host memory here; pinned host memory. All of it is asynchronous. */
#include "fake.h"
#include <stdlib.h>

CUresult cuMemGetInfo_v2(size_t *free_bytes, size_t *total) {
    Context *context;
    CUresult status = enter_context(__func__, &context);
    if (status == CUDA_SUCCESS) {
        *free_bytes = fake.memory - fake.devices[context->device].used;
        *total = fake.memory;
    }
    return leave(status);
}

CUresult cuMemHostAlloc(void **address, size_t bytes, unsigned flags) {
    Context *context;
    CUresult status = enter_context(__func__, &context);
    if (status == CUDA_SUCCESS) {
        status = forbid_while_capturing();
    }
    if (status == CUDA_SUCCESS && (bytes == 0 || flags > 7)) {
        status = CUDA_ERROR_INVALID_VALUE;
    }
    if (status != CUDA_SUCCESS) {
        return leave(status);
    }
    Allocation *pinned = calloc(1, sizeof *pinned);
    unsigned char *memory = bytes > SIZE_MAX - 4096 ? NULL : aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
    if (pinned == NULL || memory == NULL) {
        free(pinned);
        free(memory);
        return leave(CUDA_ERROR_OUT_OF_MEMORY);
    }
    pinned->memory = memory;
    pinned->bytes = bytes;
    add_object(&pinned->object, PINNED, context);
    *address = memory;
    return leave(CUDA_SUCCESS);
}

static Allocation *pinned_at(const void *address) {
    for (Object *o = next_object(0, PINNED, NULL); o != NULL; o = next_object(o->number, PINNED, NULL)) {
        if (((Allocation *) o)->memory == address) {
            return (Allocation *) o;
        }
    }
    return NULL;
}

CUresult cuMemFreeHost(void *address) {
    Context *context;
    CUresult status = enter_context(__func__, &context);
    if (status == CUDA_SUCCESS) {
        status = forbid_while_capturing();
    }
    Allocation *pinned = in_host_function() ? NULL : pinned_at(address);
    if (pinned == NULL) {
        return leave(status != CUDA_SUCCESS ? status : CUDA_ERROR_INVALID_VALUE);
    }
    status = freed_status(status, &pinned->object);
    free_allocation(pinned);
    return leave(status);
}

/* Bytes within one allocation on a device, or on another device that gives this one access. */
static CUresult find_memory(CUdeviceptr address, size_t bytes, int device, void **memory) {
    *memory = (void *) (uintptr_t) address;
    for (Object *o = next_object(0, ALLOCATION, NULL); o != NULL; o = next_object(o->number, ALLOCATION, NULL)) {
        const Allocation *allocation = (Allocation *) o;
        CUdeviceptr start = (CUdeviceptr) (uintptr_t) allocation->memory;
        if (address >= start && address - start < allocation->bytes && bytes <= allocation->bytes - (address - start)) {
            bool allowed = allocation->pool->device == device || (allocation->pool->access >> device & 1) != 0;
            return allowed ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
        }
    }
    return bytes == 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

static CUresult enter_stream(const char *name, CUstream handle, Stream **stream) {
    Context *context;
    CUresult status = enter_context(name, &context);
    return status == CUDA_SUCCESS ? find_own_stream(handle, context, stream) : status;
}

static CUresult copy(Stream *stream, void *to, const void *from, size_t bytes) {
    return submit(stream, &(Operation) {.kind = COPY, .as.copy = {to, from, bytes}});
}

CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes, CUstream handle) {
    Stream *stream;
    void *target;
    CUresult status = enter_stream(__func__, handle, &stream);
    if (status == CUDA_SUCCESS) {
        status = find_memory(to, bytes, stream->object.context->device, &target);
    }
    return leave(status == CUDA_SUCCESS ? copy(stream, target, from, bytes) : status);
}

CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes, CUstream handle) {
    Stream *stream;
    void *source;
    CUresult status = enter_stream(__func__, handle, &stream);
    if (status == CUDA_SUCCESS) {
        status = find_memory(from, bytes, stream->object.context->device, &source);
    }
    return leave(status == CUDA_SUCCESS ? copy(stream, to, source, bytes) : status);
}

static CUresult copy_between(Stream *stream, CUdeviceptr to, int to_device, CUdeviceptr from, int from_device,
        size_t bytes) {
    void *target;
    void *source;
    CUresult status = find_memory(to, bytes, to_device, &target);
    if (status == CUDA_SUCCESS) {
        status = find_memory(from, bytes, from_device, &source);
    }
    return status == CUDA_SUCCESS ? copy(stream, target, source, bytes) : status;
}

CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream handle) {
    Stream *stream;
    CUresult status = enter_stream(__func__, handle, &stream);
    if (status != CUDA_SUCCESS) {
        return leave(status);
    }
    int device = stream->object.context->device;
    return leave(copy_between(stream, to, device, from, device, bytes));
}

/* Needs no peer access: a driver goes through the host where there is none. */
CUresult cuMemcpyPeerAsync(CUdeviceptr to, CUcontext to_handle, CUdeviceptr from, CUcontext from_handle, size_t bytes,
        CUstream handle) {
    Stream *stream;
    CUresult status = enter_stream(__func__, handle, &stream);
    const Context *to_context = (Context *) find_object(to_handle, CONTEXT);
    const Context *from_context = (Context *) find_object(from_handle, CONTEXT);
    if (status == CUDA_SUCCESS && (to_context == NULL || from_context == NULL)) {
        status = CUDA_ERROR_INVALID_CONTEXT;
    }
    if (status == CUDA_SUCCESS) {
        status = to_context->error != CUDA_SUCCESS ? to_context->error : from_context->error;
    }
    if (status == CUDA_SUCCESS && stream->capture != NULL && !fake.captures_peer_copies) {
        status = invalidate_capture(stream);
    }
    return leave(status != CUDA_SUCCESS ? status
        : copy_between(stream, to, to_context->device, from, from_context->device, bytes));
}

static CUresult set(const char *name, OperationKind kind, CUdeviceptr to, uint32_t value, size_t count, size_t size,
        CUstream handle) {
    Stream *stream;
    void *target;
    CUresult status = enter_stream(name, handle, &stream);
    if (status == CUDA_SUCCESS) {
        status = count > SIZE_MAX / size || to % size != 0 ? CUDA_ERROR_INVALID_VALUE
            : find_memory(to, count * size, stream->object.context->device, &target);
    }
    return leave(status != CUDA_SUCCESS ? status
        : submit(stream, &(Operation) {.kind = kind, .as.set = {target, value, count}}));
}

CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count, CUstream handle) {
    return set(__func__, SET_8, to, value, count, 1, handle);
}

CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t count, CUstream handle) {
    return set(__func__, SET_32, to, value, count, sizeof(uint32_t), handle);
}
