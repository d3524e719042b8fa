/* The way into and out of every call, and the knobs that tests turn. */
#include "fake.h"
#include "knobs.h"
#include <string.h>

#define DEFAULT_VERSION 13000
#define DEFAULT_MEMORY ((size_t) 8 << 30)

Fake fake = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .progress = PTHREAD_COND_INITIALIZER,
    .device_count = 1,
    .memory = DEFAULT_MEMORY,
    .version = DEFAULT_VERSION,
};

static long calls;
static long calls_to_failure;
static CUresult failure;
static const char *failed = "";
static _Thread_local bool inside_host_function;
static const char *held_up; /* the function after which `hold_up` is called */
static void (*hold_up)(void);
static _Thread_local const char *entered;

bool in_host_function(void) {
    return inside_host_function;
}

void set_in_host_function(bool inside) {
    inside_host_function = inside;
}

void lose_context(Context *context) {
    context->error = CUDA_ERROR_LAUNCH_FAILED;
    fake.devices[context->device].error = CUDA_ERROR_LAUNCH_FAILED;
    for (Object *o = next_object(0, STREAM, context); o != NULL; o = next_object(o->number, STREAM, context)) {
        end_capture((Stream *) o);
        drop_queue((Stream *) o, context->error);
    }
    pthread_cond_broadcast(&fake.progress);
    /* Who hears of it may free what was copied to or from. */
    while (fake.moving > 0) {
        pthread_cond_wait(&fake.progress, &fake.lock);
    }
}

CUresult enter_library(const char *name) {
    pthread_mutex_lock(&fake.lock);
    entered = name;
    calls++;
    if (calls_to_failure > 0 && --calls_to_failure == 0) {
        failed = name;
        if (failure == CUDA_ERROR_LAUNCH_FAILED && current_context() != NULL) {
            lose_context(current_context());
        }
        return failure;
    }
    return inside_host_function ? CUDA_ERROR_NOT_PERMITTED : CUDA_SUCCESS;
}

CUresult enter(const char *name) {
    CUresult status = enter_library(name);
    return status == CUDA_SUCCESS && !fake.initialised ? CUDA_ERROR_NOT_INITIALIZED : status;
}

CUresult leave(CUresult status) {
    void (*function)(void) = NULL;
    if (hold_up != NULL && strcmp(entered, held_up) == 0) {
        function = hold_up;
        hold_up = NULL;
    }
    pthread_mutex_unlock(&fake.lock);
    if (function != NULL) {
        function();
    }
    return status;
}

void fake_reset(int devices, size_t memory_bytes) {
    pthread_mutex_lock(&fake.lock);
    for (int i = 0; i < fake.device_count; i++) {
        if (fake.devices[i].context != NULL) {
            destroy_context(&fake.devices[i]);
        }
    }
    for (Object *pool = next_object(0, POOL, NULL); pool != NULL; pool = next_object(0, POOL, NULL)) {
        free_object(pool);
    }
    forget_orphans();
    for (int i = 0; i < MAX_DEVICES; i++) {
        fake.devices[i] = (Device) {0};
    }
    fake.initialised = false;
    fake.device_count = devices < 0 ? 0 : devices > MAX_DEVICES ? MAX_DEVICES : devices;
    fake.memory = memory_bytes;
    fake.version = DEFAULT_VERSION;
    fake.init_result = CUDA_SUCCESS;
    fake.patient = false;
    fake.captures_peer_copies = false;
    hold_up = NULL;
    calls = 0;
    calls_to_failure = 0;
    failed = "";
    pthread_mutex_unlock(&fake.lock);
}

void fake_fail_call(long n, int code) {
    pthread_mutex_lock(&fake.lock);
    calls_to_failure = n > 0 ? n : 0;
    failure = (CUresult) code;
    failed = "";
    pthread_mutex_unlock(&fake.lock);
}

long fake_calls(void) {
    pthread_mutex_lock(&fake.lock);
    long count = calls;
    pthread_mutex_unlock(&fake.lock);
    return count;
}

const char *fake_last_failed_name(void) {
    pthread_mutex_lock(&fake.lock);
    const char *name = failed;
    pthread_mutex_unlock(&fake.lock);
    return name;
}

void fake_lose_device(int ordinal) {
    pthread_mutex_lock(&fake.lock);
    if (ordinal >= 0 && ordinal < fake.device_count && fake.devices[ordinal].context != NULL) {
        lose_context(fake.devices[ordinal].context);
    }
    pthread_mutex_unlock(&fake.lock);
}

void fake_new_process(void) {
    pthread_mutex_lock(&fake.lock);
    for (int i = 0; i < fake.device_count; i++) {
        fake.devices[i].error = CUDA_SUCCESS;
    }
    pthread_mutex_unlock(&fake.lock);
}

void fake_capture_peer_copies(int on) {
    pthread_mutex_lock(&fake.lock);
    fake.captures_peer_copies = on != 0;
    pthread_mutex_unlock(&fake.lock);
}

/* The name is a caller's, who may free it. */
void fake_after_call(const char *name, void (*function)(void)) {
    static char copy[100];
    pthread_mutex_lock(&fake.lock);
    strncpy(copy, name, sizeof copy - 1);
    held_up = copy;
    hold_up = function;
    pthread_mutex_unlock(&fake.lock);
}

void fake_driver_version(int version) {
    pthread_mutex_lock(&fake.lock);
    fake.version = version;
    pthread_mutex_unlock(&fake.lock);
}

void fake_init_result(int code) {
    pthread_mutex_lock(&fake.lock);
    fake.init_result = (CUresult) code;
    pthread_mutex_unlock(&fake.lock);
}

void fake_patient(int on) {
    pthread_mutex_lock(&fake.lock);
    fake.patient = on != 0;
    pthread_mutex_unlock(&fake.lock);
}
