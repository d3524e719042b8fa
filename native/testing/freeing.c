/* What each kind of object takes with it. */
#include "fake.h"
#include <stdlib.h>

typedef struct Retired {
    struct Retired *next;
    void *memory;
} Retired;

static Retired *retired;

/*
 * A driver never gives the memory of a lost context to others while a healthy device may still copy to it; a heap would,
 * so it is kept until no worker is left.
 */
void free_memory(void *memory, const Context *context) {
    if (fake.workers == 0 || (context->error == CUDA_SUCCESS && !context->dying)) {
        free(memory);
        return;
    }
    Retired *entry = malloc(sizeof *entry);
    if (entry == NULL) {
        abort();
    }
    *entry = (Retired) {retired, memory};
    retired = entry;
}

void free_retired(void) {
    while (retired != NULL) {
        Retired *next = retired->next;
        free(retired->memory);
        free(retired);
        retired = next;
    }
}

static void free_event(Event *event) {
    remove_object(&event->object);
    release_point(event->latest);
    free(event);
}

void free_object(Object *object) {
    switch (object->kind) {
        case STREAM: close_stream((Stream *) object); break;
        case EVENT: free_event((Event *) object); break;
        case POOL: release_pool((Pool *) object); break;
        case ALLOCATION:
        case PINNED: free_allocation((Allocation *) object); break;
        case MODULE: free_module(object); break;
        case GRAPH:
        case GRAPH_EXEC: free_graph((Graph *) object); break;
        default: abort();
    }
}
