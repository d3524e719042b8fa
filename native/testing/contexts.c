/* Primary contexts, and the one that is current for a thread. */
#include "fake.h"
#include <stdlib.h>

/* A handle, not an address: the context may be gone. */
static _Thread_local CUcontext current;

Context *current_context(void) {
    return (Context *) find_object(current, CONTEXT);
}

CUresult enter_context(const char *name, Context **context) {
    CUresult status = enter(name);
    *context = current_context();
    if (status != CUDA_SUCCESS) {
        return status;
    }
    return *context == NULL ? CUDA_ERROR_INVALID_CONTEXT : (*context)->error;
}

static void free_objects(Context *context, int kind) {
    bool lost = context->error != CUDA_SUCCESS;
    for (Object *o = next_object(0, kind, context); o != NULL; o = next_object(0, kind, context)) {
        if (!lost && o->kind != FUNCTION) {
            count_orphan(o);
        }
        free_object(o);
    }
}

void destroy_context(Device *device) {
    Context *context = device->context;
    device->context = NULL;
    device->retained = 0;
    remove_object(&context->object);
    context->dying = true;
    for (Object *o = next_object(0, STREAM, context); o != NULL; o = next_object(o->number, STREAM, context)) {
        drop_queue((Stream *) o, CUDA_ERROR_CONTEXT_IS_DESTROYED);
    }
    free_objects(context, STREAM);
    pthread_cond_broadcast(&fake.progress);
    while (context->workers > 0) {
        pthread_cond_wait(&fake.progress, &fake.lock);
    }
    free_objects(context, -1);
    free(context);
}

CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice ordinal) {
    CUresult status = enter(__func__);
    if (status == CUDA_SUCCESS) {
        status = device_status(ordinal);
    }
    if (status == CUDA_SUCCESS) {
        status = fake.devices[ordinal].error;
    }
    if (status == CUDA_SUCCESS) {
        Device *device = &fake.devices[ordinal];
        if (device->context == NULL) {
            device->context = calloc(1, sizeof *device->context);
            if (device->context == NULL) {
                return leave(CUDA_ERROR_OUT_OF_MEMORY);
            }
            device->context->device = ordinal;
            add_object(&device->context->object, CONTEXT, NULL);
        }
        device->retained++;
        *context = handle_of(&device->context->object);
    }
    return leave(status);
}

static CUresult release(const char *name, CUdevice ordinal, bool all) {
    CUresult status = enter(name);
    if (device_status(ordinal) != CUDA_SUCCESS || in_host_function()) {
        return leave(status != CUDA_SUCCESS ? status : device_status(ordinal));
    }
    Device *device = &fake.devices[ordinal];
    if (device->context == NULL) {
        return leave(status != CUDA_SUCCESS || all ? status : CUDA_ERROR_INVALID_CONTEXT);
    }
    if (all || --device->retained == 0) {
        destroy_context(device);
    }
    return leave(status);
}

CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
    return release(__func__, device, false);
}

CUresult cuDevicePrimaryCtxReset_v2(CUdevice device) {
    return release(__func__, device, true);
}

CUresult cuCtxSetCurrent(CUcontext handle) {
    CUresult status = enter(__func__);
    if (status == CUDA_SUCCESS && handle != NULL && find_object(handle, CONTEXT) == NULL) {
        status = CUDA_ERROR_INVALID_CONTEXT;
    }
    if (status == CUDA_SUCCESS) {
        current = handle;
    } else if (status == CUDA_ERROR_LAUNCH_FAILED && find_object(handle, CONTEXT) != NULL) {
        lose_context((Context *) find_object(handle, CONTEXT));
    }
    return leave(status);
}

CUresult cuCtxGetCurrent(CUcontext *handle) {
    CUresult status = enter(__func__);
    if (status == CUDA_SUCCESS) {
        *handle = current_context() == NULL ? NULL : current;
    }
    return leave(status);
}

/* Waits for the work of all streams that is queued now. */
CUresult cuCtxSynchronize(void) {
    Context *context;
    CUresult status = enter_context(__func__, &context);
    if (status != CUDA_SUCCESS) {
        return leave(status);
    }
    for (Object *o = next_object(0, STREAM, context); o != NULL; o = next_object(o->number, STREAM, context)) {
        if (((Stream *) o)->capture != NULL) {
            return leave(invalidate_capture((Stream *) o));
        }
    }
    uint64_t number = 0;
    for (Object *o = next_object(0, STREAM, context); o != NULL && status == CUDA_SUCCESS;
            o = next_object(number, STREAM, context)) {
        number = o->number;
        status = wait_for_point(signal_end((Stream *) o));
    }
    return leave(status);
}

CUresult cuCtxEnablePeerAccess(CUcontext handle, unsigned flags) {
    Context *context;
    CUresult status = enter_context(__func__, &context);
    if (status != CUDA_SUCCESS) {
        return leave(status);
    }
    const Context *peer = (Context *) find_object(handle, CONTEXT);
    if (peer == NULL || peer == context) {
        return leave(CUDA_ERROR_INVALID_CONTEXT);
    }
    if (flags != 0) {
        return leave(CUDA_ERROR_INVALID_VALUE);
    }
    if (context->peers >> peer->device & 1) {
        return leave(CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED);
    }
    context->peers |= (uint64_t) 1 << peer->device;
    return leave(CUDA_SUCCESS);
}
