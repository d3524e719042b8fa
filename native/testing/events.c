/* Events: each record makes a new point, and what asks or waits looks at the latest one. */
#include "fake.h"
#include <stdlib.h>

static CUresult find_event(CUevent handle, Event **event) {
    *event = (Event *) find_object(handle, EVENT);
    return *event == NULL ? CUDA_ERROR_INVALID_HANDLE : (*event)->object.context->error;
}

static CUresult enter_event(const char *name, CUevent handle, Event **event) {
    Context *context;
    CUresult status = enter_context(name, &context);
    return status == CUDA_SUCCESS ? find_event(handle, event) : status;
}

CUresult cuEventCreate(CUevent *handle, unsigned flags) {
    Context *context;
    CUresult status = enter_context(__func__, &context);
    if (status == CUDA_SUCCESS && flags > 7) {
        status = CUDA_ERROR_INVALID_VALUE;
    }
    if (status != CUDA_SUCCESS) {
        return leave(status);
    }
    Event *event = calloc(1, sizeof *event);
    if (event == NULL) {
        return leave(CUDA_ERROR_OUT_OF_MEMORY);
    }
    event->flags = flags;
    *handle = add_object(&event->object, EVENT, context);
    return leave(CUDA_SUCCESS);
}

CUresult cuEventDestroy_v2(CUevent handle) {
    Context *context;
    CUresult status = enter_context(__func__, &context);
    Object *event = find_to_free(handle, EVENT);
    status = freed_status(status, event);
    if (event != NULL) {
        free_object(event);
    }
    return leave(status);
}

CUresult cuEventRecord(CUevent handle, CUstream stream_handle) {
    Event *event;
    Stream *stream;
    CUresult status = enter_event(__func__, handle, &event);
    if (status == CUDA_SUCCESS) {
        status = find_own_stream(stream_handle, current_context(), &stream);
    }
    if (status == CUDA_SUCCESS && event->object.context != stream->object.context) {
        status = CUDA_ERROR_INVALID_HANDLE;
    }
    if (status != CUDA_SUCCESS) {
        return leave(status);
    }
    Point *point = new_point();
    status = submit(stream, &(Operation) {.kind = SIGNAL, .as.point = share_point(point)});
    if (status == CUDA_SUCCESS) {
        release_point(event->latest);
        event->latest = point;
    } else {
        release_point(point);
    }
    return leave(status);
}

CUresult cuEventQuery(CUevent handle) {
    Event *event;
    CUresult status = enter_event(__func__, handle, &event);
    if (status == CUDA_SUCCESS) {
        status = forbid_while_capturing();
    }
    if (status == CUDA_SUCCESS && event->latest != NULL) {
        status = event->latest->done ? event->latest->result
            : fake.patient ? wait_for_point(share_point(event->latest)) : CUDA_ERROR_NOT_READY;
    }
    return leave(status);
}

CUresult cuEventSynchronize(CUevent handle) {
    Event *event;
    CUresult status = enter_event(__func__, handle, &event);
    if (status == CUDA_SUCCESS && event->latest != NULL) {
        status = wait_for_point(share_point(event->latest));
    }
    return leave(status);
}

static CUresult elapsed(const char *name, float *milliseconds, CUevent start_handle, CUevent end_handle) {
    Event *start;
    Event *end;
    CUresult status = enter_event(name, start_handle, &start);
    if (status == CUDA_SUCCESS) {
        status = find_event(end_handle, &end);
    }
    if (status != CUDA_SUCCESS) {
        return leave(status);
    }
    if (((start->flags | end->flags) & CU_EVENT_DISABLE_TIMING) != 0 || start->latest == NULL || end->latest == NULL
            || start->object.context != end->object.context) {
        return leave(CUDA_ERROR_INVALID_HANDLE);
    }
    if (!start->latest->done || !end->latest->done) {
        return leave(CUDA_ERROR_NOT_READY);
    }
    *milliseconds = (float) ((double) (end->latest->nanoseconds - start->latest->nanoseconds) / 1e6);
    return leave(CUDA_SUCCESS);
}

CUresult cuEventElapsedTime(float *milliseconds, CUevent start, CUevent end) {
    return elapsed(__func__, milliseconds, start, end);
}

CUresult cuEventElapsedTime_v2(float *milliseconds, CUevent start, CUevent end) {
    return elapsed(__func__, milliseconds, start, end);
}
