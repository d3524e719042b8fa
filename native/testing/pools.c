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

/* Gives back what nobody uses, but for so many bytes. */
static void trim(Pool *pool, size_t keep) {
    size_t unused = pool->reserved - pool->used;
    size_t returned = pool->reserved <= keep ? 0 : unused < pool->reserved - keep ? unused : pool->reserved - keep;
    pool->reserved -= returned;
    fake.devices[pool->device].used -= returned;
}

/* Its memory outlives it, until that is freed too. */
void release_pool(Pool *pool) {
    remove_object(&pool->object);
    pool->destroyed = true;
    trim(pool, 0);
    free_unused(pool);
}

/* Of memory that was freed, and whose stream has come to that. */
void give_back(Pool *pool, size_t bytes) {
    pool->used -= bytes;
    pool->allocations--;
    trim(pool, pool->destroyed ? 0 : pool->keeps);
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

#define RELEASE_THRESHOLD 4

/* Attributes 1 to 4 may be set, and the high-water marks 6 and 8 set back. Only the release threshold matters here. */
CUresult cuMemPoolSetAttribute(CUmemoryPool handle, int attribute, void *value) {
    Pool *pool;
    CUresult status = enter_pool(__func__, handle, &pool);
    bool known = (attribute >= 1 && attribute <= 4) || attribute == 6 || attribute == 8;
    if (status == CUDA_SUCCESS && (!known || value == NULL)) {
        status = CUDA_ERROR_INVALID_VALUE;
    }
    if (status == CUDA_SUCCESS && attribute == RELEASE_THRESHOLD) {
        pool->keeps = *(const uint64_t *) value;
    }
    return leave(status);
}

CUresult cuMemPoolTrimTo(CUmemoryPool handle, size_t bytes_to_keep) {
    Pool *pool;
    CUresult status = enter_pool(__func__, handle, &pool);
    if (status == CUDA_SUCCESS) {
        trim(pool, bytes_to_keep);
    }
    return leave(status);
}

/* Gives a pool what it lacks for so many bytes more. */
static bool grow(Pool *pool, size_t bytes) {
    Device *device = &fake.devices[pool->device];
    size_t unused = pool->reserved - pool->used;
    size_t lacking = bytes > unused ? bytes - unused : 0;
    if (lacking > fake.memory - device->used) {
        return false;
    }
    pool->reserved += lacking;
    device->used += lacking;
    pool->used += bytes;
    return true;
}

static CUresult allocate(Pool *pool, Context *context, size_t bytes, CUdeviceptr *address) {
    size_t whole = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    Allocation *allocation = calloc(1, sizeof *allocation);
    unsigned char *memory = aligned_alloc(ALIGNMENT, whole);
    if (allocation == NULL || memory == NULL || !grow(pool, bytes)) {
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

/* Also for pinned memory, which has no pool. */
void free_allocation(Allocation *allocation) {
    if (allocation->pool != NULL) {
        give_back(allocation->pool, allocation->bytes);
    }
    remove_object(&allocation->object);
    free_memory(allocation->memory, allocation->object.context);
    free(allocation);
}

/* The device memory around an address, or null. */
Allocation *allocation_of(const void *address) {
    for (Object *o = next_object(0, ALLOCATION, NULL); o != NULL; o = next_object(o->number, ALLOCATION, NULL)) {
        const Allocation *allocation = (Allocation *) o;
        uintptr_t offset = (uintptr_t) address - (uintptr_t) allocation->memory;
        if ((uintptr_t) address >= (uintptr_t) allocation->memory && offset < allocation->bytes) {
            return (Allocation *) o;
        }
    }
    return NULL;
}

static Allocation *allocation_at(CUdeviceptr address) {
    Allocation *found = allocation_of((const void *) (uintptr_t) address);
    return found != NULL && (CUdeviceptr) (uintptr_t) found->memory == address ? found : NULL;
}

/* The memory goes back to its pool when the stream comes to it; its address is no longer good for anything now. */
static void release(Allocation *allocation, Stream *stream) {
    Operation operation = {.kind = RELEASE};
    operation.as.release.memory = allocation->memory;
    operation.as.release.bytes = allocation->bytes;
    operation.as.release.pool = allocation->pool;
    remove_object(&allocation->object);
    free(allocation);
    check_release(stream, &operation);
    submit(stream, &operation);
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
    release(allocation, stream);
    return leave(status != CUDA_SUCCESS ? status : found);
}
