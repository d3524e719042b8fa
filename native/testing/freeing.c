/* What each kind of object takes with it. */
#include "fake.h"
#include <stdlib.h>

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
