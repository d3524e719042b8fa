/* Memory pools of devices, and memory from them in the order of streams. */
#include "fake.h"
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 512

/* Bytes that are NaN in every type, so that nobody reads what nobody wrote without being found out. */
#define UNWRITTEN 0xFF

CUresult cuMemPoolCreate(CUmemoryPool *handle, const CUmemPoolProps *properties) {
    CUresult status = enter(__func__);
    if (status == CUDA_SUCCESS && (properties->allocType != CU_MEM_ALLOCATION_TYPE_PINNED
            || properties->location.type != CU_MEM_LOCATION_TYPE_DEVICE)) {
        status = CUDA_ERROR_INVALID_VALUE;
    }
    if (status == CUDA_SUCCESS) {
        status = device_status(properties->location.id);
    }
    if (status != CUDA_SUCCESS) {
        return leave(status);
    }
    Pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL) {
        return leave(CUDA_ERROR_OUT_OF_MEMORY);
    }
    pool->device = properties->location.id;
    *handle = add_object(&pool->object, POOL, NULL);
    return leave(CUDA_SUCCESS);
}

static void free_unused(Pool *pool) {
    if (pool->destroyed && pool->allocations == 0) {
        free(pool);
    }
}

/* Its memory outlives it, until that is freed too. */
void release_pool(Pool *pool) {
    remove_object(&pool->object);
    pool->destroyed = true;
    free_unused(pool);
}

CUresult cuMemPoolDestroy(CUmemoryPool handle) {
    CUresult status = enter(__func__);
    Object *pool = find_to_free(handle, POOL);
    status = freed_status(status, pool);
    if (pool != NULL) {
        free_object(pool);
    }
    return leave(status);
}

static CUresult enter_pool(const char *name, CUmemoryPool handle, Pool **pool) {
    CUresult status = enter(name);
    *pool = (Pool *) find_object(handle, POOL);
    return status == CUDA_SUCCESS && *pool == NULL ? CUDA_ERROR_INVALID_HANDLE : status;
}

CUresult cuMemPoolSetAccess(CUmemoryPool handle, const CUmemAccessDesc *map, size_t count) {
    Pool *pool;
    CUresult status = enter_pool(__func__, handle, &pool);
    for (size_t i = 0; i < count && status == CUDA_SUCCESS; i++) {
        status = map[i].location.type == CU_MEM_LOCATION_TYPE_DEVICE ? device_status(map[i].location.id)
            : CUDA_ERROR_INVALID_VALUE;
    }
    for (size_t i = 0; i < count && status == CUDA_SUCCESS; i++) {
        uint64_t bit = (uint64_t) 1 << map[i].location.id;
        bool both_ways = map[i].flags == CU_MEM_ACCESS_FLAGS_PROT_READWRITE;
        pool->access = both_ways ? pool->access | bit : pool->access & ~bit;
    }
    return leave(status);
}

/* Attributes 1 to 4 may be set, and the high-water marks 6 and 8 set back. None of them matters here. */
CUresult cuMemPoolSetAttribute(CUmemoryPool handle, int attribute, void *value) {
    Pool *pool;
    CUresult status = enter_pool(__func__, handle, &pool);
    bool known = (attribute >= 1 && attribute <= 4) || attribute == 6 || attribute == 8;
    if (status == CUDA_SUCCESS && (!known || value == NULL)) {
        status = CUDA_ERROR_INVALID_VALUE;
    }
    return leave(status);
}

CUresult cuMemPoolTrimTo(CUmemoryPool handle, size_t bytes_to_keep) {
    Pool *pool;
    (void) bytes_to_keep;
    return leave(enter_pool(__func__, handle, &pool));
}

static CUresult allocate(Pool *pool, Context *context, size_t bytes, CUdeviceptr *address) {
    Device *device = &fake.devices[pool->device];
    if (bytes > fake.memory - device->used) {
        return CUDA_ERROR_OUT_OF_MEMORY;
    }
    size_t whole = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    Allocation *allocation = calloc(1, sizeof *allocation);
    unsigned char *memory = aligned_alloc(ALIGNMENT, whole);
    if (allocation == NULL || memory == NULL) {
        free(allocation);
        free(memory);
        return CUDA_ERROR_OUT_OF_MEMORY;
    }
    memset(memory, UNWRITTEN, bytes);
    allocation->pool = pool;
    allocation->memory = memory;
    allocation->bytes = bytes;
    add_object(&allocation->object, ALLOCATION, context);
    pool->allocations++;
    device->used += bytes;
    *address = (CUdeviceptr) (uintptr_t) memory;
    return CUDA_SUCCESS;
}

CUresult cuMemAllocFromPoolAsync(CUdeviceptr *address, size_t bytes, CUmemoryPool handle, CUstream stream_handle) {
    Context *context;
    Stream *stream;
    CUresult status = enter_context(__func__, &context);
    Pool *pool = (Pool *) find_object(handle, POOL);
    if (status == CUDA_SUCCESS) {
        status = pool == NULL ? CUDA_ERROR_INVALID_HANDLE : find_own_stream(stream_handle, context, &stream);
    }
    if (status == CUDA_SUCCESS && stream->capture != NULL) {
        status = invalidate_capture(stream);
    }
    if (status == CUDA_SUCCESS && bytes == 0) {
        status = CUDA_ERROR_INVALID_VALUE;
    }
    return leave(status == CUDA_SUCCESS ? allocate(pool, context, bytes, address) : status);
}

/* The driver may give memory that is freed in a stream to whoever asks, and have that wait; so it counts as free. */
static unsigned char *detach(Allocation *allocation) {
    unsigned char *memory = allocation->memory;
    Pool *pool = allocation->pool;
    if (pool != NULL) {
        fake.devices[pool->device].used -= allocation->bytes;
        pool->allocations--;
        free_unused(pool);
    }
    remove_object(&allocation->object);
    free(allocation);
    return memory;
}

void free_allocation(Allocation *allocation) {
    const Context *context = allocation->object.context;
    free_memory(detach(allocation), context);
}

static Allocation *allocation_at(CUdeviceptr address) {
    for (Object *o = next_object(0, ALLOCATION, NULL); o != NULL; o = next_object(o->number, ALLOCATION, NULL)) {
        if ((CUdeviceptr) (uintptr_t) ((Allocation *) o)->memory == address) {
            return (Allocation *) o;
        }
    }
    return NULL;
}

CUresult cuMemFreeAsync(CUdeviceptr address, CUstream handle) {
    Context *context;
    Stream *stream;
    CUresult status = enter_context(__func__, &context);
    Allocation *allocation = in_host_function() ? NULL : allocation_at(address);
    CUresult found = find_own_stream(handle, context, &stream);
    if (stream != NULL && stream->capture != NULL) {
        return leave(status != CUDA_SUCCESS ? status : invalidate_capture(stream));
    }
    if (allocation == NULL || stream == NULL || found == CUDA_ERROR_INVALID_HANDLE) {
        return leave(status != CUDA_SUCCESS ? status : found != CUDA_SUCCESS ? found : CUDA_ERROR_INVALID_VALUE);
    }
    submit(stream, &(Operation) {.kind = RELEASE, .as.memory = detach(allocation)});
    return leave(status != CUDA_SUCCESS ? status : found);
}
