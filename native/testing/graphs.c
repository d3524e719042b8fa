/* Graphs: recorded lists, replayed in order by the worker of the stream that they are launched on. */
#include "fake.h"
#include <stdlib.h>

Recording *new_recording(void) {
    Recording *recording = calloc(1, sizeof *recording);
    if (recording == NULL) {
        abort();
    }
    recording->references = 1;
    return recording;
}

void record_operation(Recording *recording, const Operation *operation) {
    if (recording->count == recording->capacity) {
        recording->capacity = recording->capacity == 0 ? 16 : recording->capacity * 2;
        recording->operations = realloc(recording->operations, recording->capacity * sizeof *operation);
        if (recording->operations == NULL) {
            abort();
        }
    }
    recording->operations[recording->count++] = *operation;
}

void release_recording(Recording *recording) {
    if (--recording->references == 0) {
        free(recording->operations);
        free(recording);
    }
}

void *add_graph(Recording *recording, Kind kind, Context *context) {
    Graph *graph = calloc(1, sizeof *graph);
    if (graph == NULL) {
        abort();
    }
    recording->references++;
    graph->recording = recording;
    return add_object(&graph->object, kind, context);
}

void free_graph(Graph *graph) {
    remove_object(&graph->object);
    release_recording(graph->recording);
    free(graph);
}

static CUresult enter_graph(const char *name, const void *handle, Kind kind, Graph **graph) {
    Context *context;
    CUresult status = enter_context(name, &context);
    *graph = (Graph *) find_object(handle, kind);
    if (status != CUDA_SUCCESS) {
        return status;
    }
    return *graph == NULL ? CUDA_ERROR_INVALID_HANDLE : (*graph)->object.context->error;
}

static CUresult destroy(const char *name, const void *handle, Kind kind) {
    Context *context;
    CUresult status = enter_context(name, &context);
    Object *graph = find_to_free(handle, kind);
    status = freed_status(status, graph);
    if (graph != NULL) {
        free_object(graph);
    }
    return leave(status);
}

CUresult cuGraphDestroy(CUgraph handle) {
    return destroy(__func__, handle, GRAPH);
}

CUresult cuGraphExecDestroy(CUgraphExec handle) {
    return destroy(__func__, handle, GRAPH_EXEC);
}

CUresult cuGraphInstantiateWithFlags(CUgraphExec *exec, CUgraph handle, unsigned long long flags) {
    Graph *graph;
    CUresult status = enter_graph(__func__, handle, GRAPH, &graph);
    (void) flags;
    if (status == CUDA_SUCCESS) {
        *exec = add_graph(graph->recording, GRAPH_EXEC, graph->object.context);
    }
    return leave(status);
}

CUresult cuGraphLaunch(CUgraphExec handle, CUstream stream_handle) {
    Graph *exec;
    Stream *stream;
    CUresult status = enter_graph(__func__, handle, GRAPH_EXEC, &exec);
    if (status == CUDA_SUCCESS) {
        status = find_own_stream(stream_handle, current_context(), &stream);
    }
    if (status == CUDA_SUCCESS && exec->object.context != stream->object.context) {
        status = CUDA_ERROR_INVALID_HANDLE;
    }
    if (status == CUDA_SUCCESS) {
        if (exec->recording->dead) {
            count_misuse("a graph was launched that touches memory which was freed");
            return leave(CUDA_ERROR_INVALID_VALUE);
        }
        exec->recording->references++;
        status = submit(stream, &(Operation) {.kind = REPLAY, .as.recording = exec->recording});
    }
    return leave(status);
}

/* Handles of nodes are their places, from 1: no call takes them. */
CUresult cuGraphGetNodes(CUgraph handle, CUgraphNode *nodes, size_t *count) {
    Graph *graph;
    CUresult status = enter_graph(__func__, handle, GRAPH, &graph);
    if (status == CUDA_SUCCESS) {
        for (size_t i = 0; nodes != NULL && i < *count; i++) {
            nodes[i] = i < graph->recording->count ? (CUgraphNode) (i + 1) : NULL;
        }
        if (nodes == NULL || *count > graph->recording->count) {
            *count = graph->recording->count;
        }
    }
    return leave(status);
}
