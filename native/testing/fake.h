/*
 * The inside of the stand-in. One lock guards everything here; a worker leaves it only while it moves memory or runs a
 * kernel or a host function. Every exported function is
 *
 *     enter: take the lock, count the call, fail it if that is asked for
 *     check handles and values, then do it or queue it
 *     leave: give the lock back
 */
#ifndef SLIPSTREAM_FAKE_H
#define SLIPSTREAM_FAKE_H

#define _POSIX_C_SOURCE 200809L

#include "../src/arguments.h"
#include "cuda_abi.h"
#include <pthread.h>
#include <stdbool.h>

#define MAX_DEVICES 64

typedef enum { CONTEXT, STREAM, EVENT, POOL, ALLOCATION, PINNED, MODULE, FUNCTION, GRAPH, GRAPH_EXEC } Kind;

typedef struct Context Context;

/* What a handle names. Numbers are never used twice, so that a stale handle is found out. */
typedef struct {
    Kind kind;
    uint64_t number;
    Context *context; /* whose release frees it; null for a context and for a pool, which belongs to a device */
} Object;

struct Context {
    Object object;
    int device;
    uint64_t peers;
    CUresult error; /* sticky: what each call returns once the device is lost */
    bool dying;
    int workers;
};

typedef struct {
    size_t used; /* what its pools have, whether they have given it to somebody or keep it */
    int retained;
    Context *context; /* the primary one, while it is retained */
    CUresult error;   /* sticky: outlives the context, as libraries of CUDA's in the process would hold it too */
} Device;

/* One record of an event, or another place in a stream that somebody waits for. */
typedef struct {
    int references;
    bool done;
    CUresult result;
    int64_t nanoseconds;
} Point;

typedef struct {
    Object object;
    unsigned flags;
    Point *latest; /* null until it is recorded */
} Event;

typedef struct {
    Object object;
    int device;
    uint64_t access; /* a bit for each other device that may read and write */
    int allocations; /* that were not freed, or whose stream has not come to that */
    size_t used;     /* bytes of these */
    size_t reserved; /* bytes that the device gave it */
    size_t keeps;    /* how many of them it does not give back by itself */
    bool destroyed;
} Pool;

typedef struct {
    Object object;
    Pool *pool;
    unsigned char *memory;
    size_t bytes;
} Allocation;

typedef struct {
    const char *name;
    size_t argument_bytes;
    void (*run)(const void *arguments, int64_t threads);
} Kernel;

/* Operations that can be recorded come first. */
typedef enum { COPY, SET_8, SET_32, LAUNCH, CALL, SIGNAL, WAIT, RELEASE, REPLAY } OperationKind;

typedef struct Recording Recording;

typedef struct {
    OperationKind kind;
    union {
        struct {
            void *to;
            const void *from;
            size_t bytes;
        } copy;
        struct {
            void *to;
            uint32_t value;
            size_t count;
        } set;
        struct {
            const Kernel *kernel;
            int64_t threads;
            union {
                unsigned char bytes[sizeof(CombineArguments)]; /* no kernel has more */
                int64_t aligned;
            } arguments;
        } launch;
        struct {
            CUhostFn function;
            void *data;
        } call;
        Point *point;
        struct {
            void *memory;
            size_t bytes;
            Pool *pool;
        } release;
        Recording *recording;
    } as;
} Operation;

/* A graph: the operations in the order of their capture, which is one that fits. */
struct Recording {
    int references;
    bool dead; /* memory that it touches was freed */
    size_t count;
    size_t capacity;
    Operation *operations;
};

typedef struct {
    Object object; /* a GRAPH or a GRAPH_EXEC */
    Recording *recording;
} Graph;

typedef struct Command {
    struct Command *next;
    Operation operation;
} Command;

typedef struct {
    Object object;
    Command *first; /* stays in the queue while it runs */
    Command *last;
    pthread_cond_t queued;
    bool closing;
    Recording *capture;
    bool capture_invalid;
    CUstreamCaptureMode capture_mode;
    pthread_t capture_thread;
} Stream;

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t progress; /* a point is done, memory is no longer touched, or a worker has ended */
    bool initialised;
    int device_count;
    size_t memory;
    Device devices[MAX_DEVICES];
    int version;
    CUresult init_result;
    bool patient;
    bool captures_peer_copies;
    int workers; /* of all contexts */
    int moving;  /* workers that touch memory right now */
} Fake;

extern Fake fake;

/* control.c */
CUresult enter_library(const char *name);

void lose_context(Context *context);
CUresult enter(const char *name);
CUresult leave(CUresult status);
bool in_host_function(void);
void set_in_host_function(bool inside);

/* contexts.c, devices.c */
Context *current_context(void);
CUresult enter_context(const char *name, Context **context);
CUresult device_status(CUdevice device);
void destroy_context(Device *device);

/* objects.c */
void *add_object(Object *object, Kind kind, Context *context);
void *handle_of(const Object *object);
Object *find_object(const void *handle, Kind kind);
Object *find_to_free(const void *handle, Kind kind);
CUresult freed_status(CUresult status, const Object *object);
void remove_object(Object *object);
/* The live object after this number that satisfies the rest, or null; a kind or context of -1 or null is any. */
Object *next_object(uint64_t after, int kind, const Context *context);
void count_orphan(const Object *object);
void forget_orphans(void);
/* Something that a driver would not notice, and that would go wrong: it is in the report of what is alive. */
void count_misuse(const char *what);

/* streams.c, worker.c */
CUresult find_stream(CUstream handle, Stream **stream);
CUresult find_own_stream(CUstream handle, const Context *context, Stream **stream);
void close_stream(Stream *stream);
bool start_worker(Stream *stream);
CUresult submit(Stream *stream, const Operation *operation);
Point *signal_end(Stream *stream);
void drop_operation(const Operation *operation, const Context *context, CUresult result);
void drop_queue(Stream *stream, CUresult result);

/* points.c */
Point *new_point(void);
Point *share_point(Point *point);
void release_point(Point *point);
void finish_point(Point *point, CUresult result);
CUresult wait_for_point(Point *point);

/* order.c */
void check_release(const Stream *stream, const Operation *release);

/* freeing.c, pools.c */
void free_memory(void *memory, const Context *context);
void free_retired(void);
void free_allocation(Allocation *allocation);
void give_back(Pool *pool, size_t bytes);
Allocation *allocation_of(const void *address);
void release_pool(Pool *pool);
void free_object(Object *object);

/* capture.c, graphs.c */
CUresult invalidate_capture(Stream *stream);
CUresult forbid_while_capturing(void);
void end_capture(Stream *stream);
void record_operation(Recording *recording, const Operation *operation);
Recording *new_recording(void);
void *add_graph(Recording *recording, Kind kind, Context *context);
void release_recording(Recording *recording);
void free_graph(Graph *graph);

/* modules.c, kernels.c */
void free_module(Object *module);
const Kernel *find_kernel(const char *name);

#endif
