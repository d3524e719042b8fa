/* Whether queued work and the end of the memory that it touches are in order, which a driver would not notice. */
#include "fake.h"
#include <string.h>

static bool within(const void *address, const Operation *release) {
    uintptr_t first = (uintptr_t) release->as.release.memory;
    return (uintptr_t) address >= first && (uintptr_t) address - first < release->as.release.bytes;
}

/* Arguments of kernels are structs with addresses among them, each at a multiple of its size. */
static bool names(const Operation *launch, const Operation *release) {
    for (size_t at = 0; at + sizeof(void *) <= launch->as.launch.kernel->argument_bytes; at += sizeof(void *)) {
        void *word;
        memcpy(&word, launch->as.launch.arguments.bytes + at, sizeof word);
        if (within(word, release)) {
            return true;
        }
    }
    return false;
}

static bool any_touches(const Recording *recording, const Operation *release);

static bool touches(const Operation *work, const Operation *release) {
    switch (work->kind) {
        case COPY: return within(work->as.copy.to, release) || within(work->as.copy.from, release);
        case SET_8:
        case SET_32: return within(work->as.set.to, release);
        case LAUNCH: return names(work, release);
        case REPLAY: return any_touches(work->as.recording, release);
        default: return false;
    }
}

static bool any_touches(const Recording *recording, const Operation *release) {
    for (size_t i = 0; i < recording->count; i++) {
        if (touches(&recording->operations[i], release)) {
            return true;
        }
    }
    return false;
}

static bool waits_for(const Stream *stream, const Point *point) {
    for (const Command *command = stream->first; command != NULL; command = command->next) {
        if (command->operation.kind == WAIT && command->operation.as.point == point) {
            return true;
        }
    }
    return false;
}

/* Whether the end of the freeing stream's queue comes after this command of another's. */
static bool is_ordered(const Stream *freeing, const Command *work) {
    for (const Command *later = work->next; later != NULL; later = later->next) {
        if (later->operation.kind == SIGNAL && waits_for(freeing, later->operation.as.point)) {
            return true;
        }
    }
    return false;
}

static void end_graphs(Kind kind, const Operation *release) {
    for (Object *o = next_object(0, (int) kind, NULL); o != NULL; o = next_object(o->number, (int) kind, NULL)) {
        Recording *recording = ((Graph *) o)->recording;
        recording->dead |= any_touches(recording, release);
    }
}

/*
 * For memory that is about to be freed in a stream: other streams of the device must not have queued work on it, and
 * graphs that touch it must not be launched any more.
 */
void check_release(const Stream *freeing, const Operation *release) {
    const Context *context = freeing->object.context;
    end_graphs(GRAPH, release);
    end_graphs(GRAPH_EXEC, release);
    if (context->error != CUDA_SUCCESS) {
        return; /* its work is dropped */
    }
    for (Object *o = next_object(0, STREAM, context); o != NULL; o = next_object(o->number, STREAM, context)) {
        const Stream *stream = (Stream *) o;
        for (const Command *command = stream->first; stream != freeing && command != NULL; command = command->next) {
            if (touches(&command->operation, release) && !is_ordered(freeing, command)) {
                count_misuse("memory was freed before work that is queued on it");
                return;
            }
        }
    }
}
