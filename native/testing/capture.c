/* Capture of one stream. Events are refused in it, so no other stream joins. */
#include "fake.h"

static _Thread_local CUstreamCaptureMode thread_mode = CU_STREAM_CAPTURE_MODE_GLOBAL;

/* For calls that a capture forbids. */
CUresult invalidate_capture(Stream *stream) {
    stream->capture_invalid = true;
    return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
}

static bool forbids(const Stream *stream) {
    if (stream->capture == NULL || stream->capture_invalid || thread_mode == CU_STREAM_CAPTURE_MODE_RELAXED
            || stream->capture_mode == CU_STREAM_CAPTURE_MODE_RELAXED) {
        return false;
    }
    bool everywhere = stream->capture_mode == CU_STREAM_CAPTURE_MODE_GLOBAL
        && thread_mode == CU_STREAM_CAPTURE_MODE_GLOBAL;
    return everywhere || pthread_equal(stream->capture_thread, pthread_self());
}

/* For calls that are unsafe while somebody captures, as cuThreadExchangeStreamCaptureMode explains. */
CUresult forbid_while_capturing(void) {
    CUresult status = CUDA_SUCCESS;
    for (Object *o = next_object(0, STREAM, NULL); o != NULL; o = next_object(o->number, STREAM, NULL)) {
        if (forbids((Stream *) o)) {
            status = invalidate_capture((Stream *) o);
        }
    }
    return status;
}

void end_capture(Stream *stream) {
    if (stream->capture != NULL) {
        release_recording(stream->capture);
        stream->capture = NULL;
    }
}

CUresult cuStreamBeginCapture_v2(CUstream handle, CUstreamCaptureMode mode) {
    Context *context;
    Stream *stream;
    CUresult status = enter_context(__func__, &context);
    if (status == CUDA_SUCCESS) {
        status = find_own_stream(handle, context, &stream);
    }
    if (status == CUDA_SUCCESS && (unsigned) mode > CU_STREAM_CAPTURE_MODE_RELAXED) {
        status = CUDA_ERROR_INVALID_VALUE;
    }
    if (status == CUDA_SUCCESS && stream->capture != NULL) {
        status = CUDA_ERROR_ILLEGAL_STATE;
    }
    if (status == CUDA_SUCCESS) {
        stream->capture = new_recording();
        stream->capture_invalid = false;
        stream->capture_mode = mode;
        stream->capture_thread = pthread_self();
    }
    return leave(status);
}

/* Ends the capture even if the call fails, but for a wrong thread. */
CUresult cuStreamEndCapture(CUstream handle, CUgraph *graph_handle) {
    Context *context;
    CUresult status = enter_context(__func__, &context);
    Stream *stream = (Stream *) find_to_free(handle, STREAM);
    status = freed_status(status, (Object *) stream);
    if (stream == NULL || stream->capture == NULL) {
        return leave(status != CUDA_SUCCESS ? status : CUDA_ERROR_ILLEGAL_STATE);
    }
    if (status == CUDA_SUCCESS && stream->capture_mode != CU_STREAM_CAPTURE_MODE_RELAXED
            && !pthread_equal(stream->capture_thread, pthread_self())) {
        return leave(CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD);
    }
    if (status == CUDA_SUCCESS && stream->capture_invalid) {
        status = CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    }
    *graph_handle = status == CUDA_SUCCESS ? add_graph(stream->capture, GRAPH, stream->object.context) : NULL;
    end_capture(stream);
    return leave(status);
}

CUresult cuStreamIsCapturing(CUstream handle, CUstreamCaptureStatus *capture_status) {
    Context *context;
    Stream *stream;
    CUresult status = enter_context(__func__, &context);
    if (status == CUDA_SUCCESS) {
        status = find_stream(handle, &stream);
    }
    if (status == CUDA_SUCCESS) {
        *capture_status = stream->capture == NULL ? CU_STREAM_CAPTURE_STATUS_NONE
            : stream->capture_invalid ? CU_STREAM_CAPTURE_STATUS_INVALIDATED : CU_STREAM_CAPTURE_STATUS_ACTIVE;
    }
    return leave(status);
}

CUresult cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode *mode) {
    CUresult status = enter(__func__);
    if (status == CUDA_SUCCESS && (unsigned) *mode > CU_STREAM_CAPTURE_MODE_RELAXED) {
        status = CUDA_ERROR_INVALID_VALUE;
    }
    if (status == CUDA_SUCCESS) {
        CUstreamCaptureMode before = thread_mode;
        thread_mode = *mode;
        *mode = before;
    }
    return leave(status);
}
