/* What is alive: objects by number, and the report of them. */
#include "fake.h"
#include "knobs.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {"context", "stream", "event", "pool", "allocation", "pinned memory", "module",
    "function", "graph", "graph exec"};

/* In the order of their numbers. */
static Object **live;
static size_t live_count;
static size_t live_capacity;
static uint64_t last_number;

typedef struct Orphan {
    struct Orphan *next;
    Kind kind;
    uint64_t number;
    int device;
} Orphan;

static Orphan *orphans;

/* Handles look like addresses, but nothing lies there. */
void *handle_of(const Object *object) {
    return (void *) (uintptr_t) (object->number << 4);
}

static size_t first_from(uint64_t number) {
    size_t low = 0;
    size_t high = live_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (live[middle]->number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void *add_object(Object *object, Kind kind, Context *context) {
    if (live_count == live_capacity) {
        live_capacity = live_capacity == 0 ? 64 : live_capacity * 2;
        live = realloc(live, live_capacity * sizeof *live);
        if (live == NULL) {
            abort();
        }
    }
    object->kind = kind;
    object->number = ++last_number;
    object->context = context;
    live[live_count++] = object;
    return handle_of(object);
}

Object *find_object(const void *handle, Kind kind) {
    uint64_t number = (uint64_t) (uintptr_t) handle >> 4;
    size_t at = first_from(number);
    bool found = at < live_count && live[at]->kind == kind && handle_of(live[at]) == handle;
    return found ? live[at] : NULL;
}

/* For calls that free even if they are to fail, but not where they are forbidden. */
Object *find_to_free(const void *handle, Kind kind) {
    return in_host_function() ? NULL : find_object(handle, kind);
}

CUresult freed_status(CUresult status, const Object *object) {
    if (status != CUDA_SUCCESS) {
        return status;
    }
    if (object == NULL) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    return object->context == NULL ? CUDA_SUCCESS : object->context->error;
}

void remove_object(Object *object) {
    size_t at = first_from(object->number);
    memmove(live + at, live + at + 1, (--live_count - at) * sizeof *live);
}

Object *next_object(uint64_t after, int kind, const Context *context) {
    for (size_t i = first_from(after + 1); i < live_count; i++) {
        if ((kind < 0 || live[i]->kind == (Kind) kind) && (context == NULL || live[i]->context == context)) {
            return live[i];
        }
    }
    return NULL;
}

void count_orphan(const Object *object) {
    Orphan *orphan = malloc(sizeof *orphan);
    if (orphan == NULL) {
        abort();
    }
    *orphan = (Orphan) {orphans, object->kind, object->number, object->context->device};
    orphans = orphan;
}

static long misuses;
static const char *last_misuse = "";

void count_misuse(const char *what) {
    misuses++;
    last_misuse = what;
}

void forget_orphans(void) {
    misuses = 0;
    while (orphans != NULL) {
        Orphan *orphan = orphans;
        orphans = orphan->next;
        free(orphan);
    }
}

/* A module's functions are not freed by themselves, and a context counts as often as it is retained. */
static bool has_to_be_freed(const Object *object) {
    return object->kind != FUNCTION && object->kind != CONTEXT;
}

long fake_live_handles(void) {
    pthread_mutex_lock(&fake.lock);
    long count = misuses;
    for (int i = 0; i < fake.device_count; i++) {
        count += fake.devices[i].retained;
    }
    for (size_t i = 0; i < live_count; i++) {
        count += has_to_be_freed(live[i]);
    }
    for (const Orphan *orphan = orphans; orphan != NULL; orphan = orphan->next) {
        count++;
    }
    pthread_mutex_unlock(&fake.lock);
    return count;
}

typedef struct {
    char *buffer;
    size_t size;
    size_t length;
} Report;

static void print(Report *report, const char *format, ...) {
    va_list values;
    va_start(values, format);
    bool room = report->length < report->size;
    int written = vsnprintf(room ? report->buffer + report->length : NULL,
        room ? report->size - report->length : 0, format, values);
    va_end(values);
    report->length += written > 0 ? (size_t) written : 0;
}

size_t fake_live_report(char *buffer, size_t size) {
    Report report = {buffer, size, 0};
    pthread_mutex_lock(&fake.lock);
    print(&report, "%s", "");
    if (misuses > 0) {
        print(&report, "%ld misuses, the last one: %s\n", misuses, last_misuse);
    }
    for (int i = 0; i < fake.device_count; i++) {
        if (fake.devices[i].retained > 0) {
            print(&report, "context of device %d, retained %d times\n", i, fake.devices[i].retained);
        }
    }
    for (size_t i = 0; i < live_count; i++) {
        if (has_to_be_freed(live[i])) {
            int device = live[i]->kind == POOL ? ((Pool *) live[i])->device : live[i]->context->device;
            print(&report, "%s %#llx of device %d\n", kind_names[live[i]->kind],
                (unsigned long long) (uintptr_t) handle_of(live[i]), device);
        }
    }
    for (const Orphan *orphan = orphans; orphan != NULL; orphan = orphan->next) {
        print(&report, "%s %#llx, alive when the context of device %d was released\n", kind_names[orphan->kind],
            (unsigned long long) (orphan->number << 4), orphan->device);
    }
    pthread_mutex_unlock(&fake.lock);
    return report.length;
}
