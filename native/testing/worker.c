/* One thread a stream, which does what is in its queue. */
#include "fake.h"
#include <stdlib.h>
#include <string.h>

static bool dropping(const Stream *stream) {
    return stream->object.context->error != CUDA_SUCCESS || stream->object.context->dying;
}

static void fill_32(uint32_t *to, uint32_t value, size_t count) {
    for (size_t i = 0; i < count; i++) {
        to[i] = value;
    }
}

static void call(CUhostFn function, void *data) {
    set_in_host_function(true);
    function(data);
    set_in_host_function(false);
}

/* What touches memory or runs foreign code, outside of the lock. */
static void compute(const Operation *operation) {
    bool moves = operation->kind != CALL;
    fake.moving += moves;
    pthread_mutex_unlock(&fake.lock);
    switch (operation->kind) {
        case COPY: memmove(operation->as.copy.to, operation->as.copy.from, operation->as.copy.bytes); break;
        case SET_8: memset(operation->as.set.to, (int) operation->as.set.value, operation->as.set.count); break;
        case SET_32: fill_32(operation->as.set.to, operation->as.set.value, operation->as.set.count); break;
        case LAUNCH:
            operation->as.launch.kernel->run(operation->as.launch.arguments.bytes, operation->as.launch.threads);
            break;
        case CALL: call(operation->as.call.function, operation->as.call.data); break;
        default: abort();
    }
    pthread_mutex_lock(&fake.lock);
    fake.moving -= moves;
    if (moves && fake.moving == 0) {
        pthread_cond_broadcast(&fake.progress);
    }
}

static void replay(const Stream *stream, const Recording *recording) {
    for (size_t i = 0; i < recording->count && !dropping(stream); i++) {
        compute(&recording->operations[i]);
    }
}

static void execute(const Stream *stream, const Operation *operation) {
    switch (operation->kind) {
        case WAIT:
            while (!operation->as.point->done && !dropping(stream)) {
                pthread_cond_wait(&fake.progress, &fake.lock);
            }
            break;
        case SIGNAL: finish_point(operation->as.point, CUDA_SUCCESS); break;
        case RELEASE: break;
        case REPLAY: replay(stream, operation->as.recording); break;
        default: compute(operation); break;
    }
}

/* Lets go of what an operation holds; a point that it was to finish is finished with this result. */
void drop_operation(const Operation *operation, const Context *context, CUresult result) {
    switch (operation->kind) {
        case SIGNAL:
            finish_point(operation->as.point, result);
            release_point(operation->as.point);
            break;
        case WAIT: release_point(operation->as.point); break;
        case RELEASE:
            free_memory(operation->as.release.memory, context);
            give_back(operation->as.release.pool, operation->as.release.bytes);
            break;
        case REPLAY: release_recording(operation->as.recording); break;
        default: break;
    }
}

/* Everybody who waits for the queue goes on at once. What it holds is let go of by the worker. */
void drop_queue(Stream *stream, CUresult result) {
    for (const Command *command = stream->first; command != NULL; command = command->next) {
        if (command->operation.kind == SIGNAL) {
            finish_point(command->operation.as.point, result);
        }
    }
}

static void *work(void *argument) {
    Stream *stream = argument;
    pthread_mutex_lock(&fake.lock);
    Context *context = stream->object.context;
    while (stream->first != NULL || !stream->closing) {
        Command *command = stream->first;
        if (command == NULL) {
            pthread_cond_wait(&stream->queued, &fake.lock);
            continue;
        }
        if (!dropping(stream)) {
            execute(stream, &command->operation);
        }
        drop_operation(&command->operation, context, context->dying ? CUDA_ERROR_CONTEXT_IS_DESTROYED : context->error);
        stream->first = command->next;
        free(command);
    }
    pthread_cond_destroy(&stream->queued);
    free(stream);
    context->workers--;
    if (--fake.workers == 0) {
        free_retired();
    }
    pthread_cond_broadcast(&fake.progress);
    pthread_mutex_unlock(&fake.lock);
    return NULL;
}

bool start_worker(Stream *stream) {
    pthread_t thread;
    pthread_cond_init(&stream->queued, NULL);
    if (pthread_create(&thread, NULL, work, stream) != 0) {
        pthread_cond_destroy(&stream->queued);
        return false;
    }
    pthread_detach(thread);
    stream->object.context->workers++;
    fake.workers++;
    return true;
}

static void enqueue(Stream *stream, const Operation *operation) {
    Command *command = malloc(sizeof *command);
    if (command == NULL) {
        abort();
    }
    *command = (Command) {NULL, *operation};
    if (stream->first == NULL) {
        stream->first = command;
    } else {
        stream->last->next = command;
    }
    stream->last = command;
    pthread_cond_signal(&stream->queued);
}

/* Queues an operation, or records it where the stream is captured. Takes over what the operation holds. */
CUresult submit(Stream *stream, const Operation *operation) {
    if (stream->capture == NULL) {
        enqueue(stream, operation);
        return CUDA_SUCCESS;
    }
    if (stream->capture_invalid || operation->kind > CALL) {
        drop_operation(operation, stream->object.context, CUDA_SUCCESS);
        return stream->capture_invalid ? CUDA_ERROR_STREAM_CAPTURE_INVALIDATED : invalidate_capture(stream);
    }
    record_operation(stream->capture, operation);
    return CUDA_SUCCESS;
}

/* A new point at the end of the queue, of which the caller has a share. */
Point *signal_end(Stream *stream) {
    Point *point = new_point();
    enqueue(stream, &(Operation) {.kind = SIGNAL, .as.point = share_point(point)});
    return point;
}
