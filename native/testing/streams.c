/* Streams, without the default ones, which Slipstream does not use: they are refused as invalid. */
#include "fake.h"
#include <stdlib.h>

CUresult find_stream(CUstream handle, Stream **stream) {
    *stream = (Stream *) find_object(handle, STREAM);
    return *stream == NULL ? CUDA_ERROR_INVALID_HANDLE : (*stream)->object.context->error;
}

/* For calls that queue work: the stream must belong to the context that is current. */
CUresult find_own_stream(CUstream handle, const Context *context, Stream **stream) {
    CUresult status = find_stream(handle, stream);
    return status == CUDA_SUCCESS && (*stream)->object.context != context ? CUDA_ERROR_INVALID_HANDLE : status;
}

/* The handle ends here, the queue is worked off, and then the worker frees the rest. */
void close_stream(Stream *stream) {
    end_capture(stream);
    remove_object(&stream->object);
    stream->closing = true;
    pthread_cond_signal(&stream->queued);
}

static CUresult create(const char *name, CUstream *handle, unsigned flags) {
    Context *context;
    CUresult status = enter_context(name, &context);
    if (status == CUDA_SUCCESS && (flags & ~(unsigned) CU_STREAM_NON_BLOCKING) != 0) {
        status = CUDA_ERROR_INVALID_VALUE;
    }
    if (status != CUDA_SUCCESS) {
        return leave(status);
    }
    Stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) {
        return leave(CUDA_ERROR_OUT_OF_MEMORY);
    }
    stream->object.context = context;
    if (!start_worker(stream)) {
        free(stream);
        return leave(CUDA_ERROR_OPERATING_SYSTEM);
    }
    *handle = add_object(&stream->object, STREAM, context);
    return leave(CUDA_SUCCESS);
}

CUresult cuStreamCreate(CUstream *handle, unsigned flags) {
    return create(__func__, handle, flags);
}

CUresult cuStreamCreateWithPriority(CUstream *handle, unsigned flags, int priority) {
    (void) priority;
    return create(__func__, handle, flags);
}

CUresult cuStreamDestroy_v2(CUstream handle) {
    Context *context;
    CUresult status = enter_context(__func__, &context);
    Stream *stream = (Stream *) find_to_free(handle, STREAM);
    status = freed_status(status, (Object *) stream);
    if (stream != NULL) {
        close_stream(stream);
    }
    return leave(status);
}

CUresult cuStreamQuery(CUstream handle) {
    Context *context;
    Stream *stream;
    CUresult status = enter_context(__func__, &context);
    if (status == CUDA_SUCCESS) {
        status = find_stream(handle, &stream);
    }
    if (status == CUDA_SUCCESS) {
        status = stream->capture != NULL ? invalidate_capture(stream)
            : stream->first == NULL ? CUDA_SUCCESS
            : fake.patient ? wait_for_point(signal_end(stream)) : CUDA_ERROR_NOT_READY;
    }
    return leave(status);
}

CUresult cuStreamSynchronize(CUstream handle) {
    Context *context;
    Stream *stream;
    CUresult status = enter_context(__func__, &context);
    if (status == CUDA_SUCCESS) {
        status = find_stream(handle, &stream);
    }
    if (status == CUDA_SUCCESS) {
        status = stream->capture != NULL ? invalidate_capture(stream) : wait_for_point(signal_end(stream));
    }
    return leave(status);
}

CUresult cuStreamWaitEvent(CUstream handle, CUevent event_handle, unsigned flags) {
    Context *context;
    Stream *stream;
    CUresult status = enter_context(__func__, &context);
    if (status == CUDA_SUCCESS) {
        status = find_own_stream(handle, context, &stream);
    }
    if (status == CUDA_SUCCESS && flags != 0) {
        status = CUDA_ERROR_INVALID_VALUE;
    }
    if (status != CUDA_SUCCESS) {
        return leave(status);
    }
    const Event *event = (Event *) find_object(event_handle, EVENT);
    if (event == NULL) {
        return leave(CUDA_ERROR_INVALID_HANDLE);
    }
    if (stream->capture == NULL && event->latest == NULL) {
        return leave(CUDA_SUCCESS);
    }
    Point *point = event->latest == NULL ? new_point() : share_point(event->latest);
    return leave(submit(stream, &(Operation) {.kind = WAIT, .as.point = point}));
}

CUresult cuLaunchHostFunc(CUstream handle, CUhostFn function, void *data) {
    Context *context;
    Stream *stream;
    CUresult status = enter_context(__func__, &context);
    if (status == CUDA_SUCCESS) {
        status = find_own_stream(handle, context, &stream);
    }
    if (status == CUDA_SUCCESS && function == NULL) {
        status = CUDA_ERROR_INVALID_VALUE;
    }
    if (status == CUDA_SUCCESS) {
        status = submit(stream, &(Operation) {.kind = CALL, .as.call = {function, data}});
    }
    return leave(status);
}
