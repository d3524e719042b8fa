/* Tests of the stand-in from C, to be run under the sanitizers too: native/README.md has the commands. */
#define _POSIX_C_SOURCE 200809L

#include "../src/arguments.h"
#include "knobs.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition) check(condition, #condition, __LINE__)
#define EXPECT(code, call) expect(code, call, #call, __LINE__)
#define OK(call) EXPECT(CUDA_SUCCESS, call)
#define COUNT 1000
#define MEMORY ((size_t) 1 << 24)

static const char *const ptx = "// a comment\n.version 6.3\n.target sm_75\n.address_size 64\n"
    ".visible .entry combine_f32(\n)\n.visible .entry no_such_kernel(\n)\n";

static void check(int condition, const char *text, int line) {
    if (!condition) {
        fprintf(stderr, "line %d: %s\n", line, text);
        exit(1);
    }
}

static void expect(CUresult expected, CUresult result, const char *text, int line) {
    if (result != expected) {
        fprintf(stderr, "line %d: %s gave %d, not %d\n", line, text, (int) result, (int) expected);
        exit(1);
    }
}

/* Holds back a stream until a test, or another stream, opens it. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    int open;
} Gate;

static void new_gate(Gate *gate) {
    pthread_mutex_init(&gate->lock, NULL);
    pthread_cond_init(&gate->opened, NULL);
    gate->open = 0;
}

static void open_gate(void *data) {
    Gate *gate = data;
    pthread_mutex_lock(&gate->lock);
    gate->open = 1;
    pthread_cond_signal(&gate->opened);
    pthread_mutex_unlock(&gate->lock);
}

static void pass_gate(void *data) {
    Gate *gate = data;
    pthread_mutex_lock(&gate->lock);
    while (!gate->open) {
        pthread_cond_wait(&gate->opened, &gate->lock);
    }
    pthread_mutex_unlock(&gate->lock);
}

typedef struct {
    CUcontext context;
    CUmemoryPool pool;
    CUstream stream;
    CUdeviceptr memory;
} Fixture;

static CUmemoryPool new_pool(int device) {
    CUmemPoolProps properties = {
        .allocType = CU_MEM_ALLOCATION_TYPE_PINNED,
        .location = {CU_MEM_LOCATION_TYPE_DEVICE, device},
    };
    CUmemoryPool pool;
    OK(cuMemPoolCreate(&pool, &properties));
    return pool;
}

static Fixture set_up(int device) {
    Fixture fixture;
    OK(cuInit(0));
    OK(cuDevicePrimaryCtxRetain(&fixture.context, device));
    OK(cuCtxSetCurrent(fixture.context));
    fixture.pool = new_pool(device);
    OK(cuStreamCreateWithPriority(&fixture.stream, CU_STREAM_NON_BLOCKING, 0));
    OK(cuMemAllocFromPoolAsync(&fixture.memory, COUNT * sizeof(float), fixture.pool, fixture.stream));
    return fixture;
}

static void tear_down(Fixture *fixture, int device) {
    OK(cuCtxSetCurrent(fixture->context));
    OK(cuMemFreeAsync(fixture->memory, fixture->stream));
    OK(cuStreamDestroy_v2(fixture->stream));
    OK(cuMemPoolDestroy(fixture->pool));
    OK(cuCtxSetCurrent(NULL));
    OK(cuDevicePrimaryCtxRelease_v2(device));
}

static void check_nothing_lives(void) {
    char report[1000];
    size_t length = fake_live_report(report, sizeof report);
    if (fake_live_handles() != 0 || length != 0) {
        fprintf(stderr, "still alive:\n%s", report);
        exit(1);
    }
}

static void streams_run_at_the_same_time_and_each_in_order(void) {
    fake_reset(1, MEMORY);
    Fixture fixture = set_up(0);
    CUstream other;
    OK(cuStreamCreate(&other, CU_STREAM_NON_BLOCKING));
    Gate gate;
    new_gate(&gate);
    float in = 1;
    float out = 0;
    OK(cuLaunchHostFunc(fixture.stream, pass_gate, &gate));
    OK(cuMemcpyHtoDAsync_v2(fixture.memory, &in, sizeof in, fixture.stream));
    OK(cuMemcpyDtoHAsync_v2(&out, fixture.memory, sizeof out, fixture.stream));
    EXPECT(CUDA_ERROR_NOT_READY, cuStreamQuery(fixture.stream));
    OK(cuLaunchHostFunc(other, open_gate, &gate));
    OK(cuStreamSynchronize(fixture.stream));
    OK(cuStreamQuery(fixture.stream));
    CHECK(out == 1);
    OK(cuStreamDestroy_v2(other));
    EXPECT(CUDA_ERROR_INVALID_HANDLE, cuStreamSynchronize(other));
    tear_down(&fixture, 0);
    check_nothing_lives();
}

static void a_wait_means_the_record_before_it(void) {
    fake_reset(1, MEMORY);
    Fixture fixture = set_up(0);
    CUstream other;
    CUevent event;
    CUevent never;
    Gate gate;
    float milliseconds;
    new_gate(&gate);
    OK(cuStreamCreate(&other, CU_STREAM_NON_BLOCKING));
    OK(cuEventCreate(&event, 0));
    OK(cuEventCreate(&never, 0));
    OK(cuEventQuery(never));
    OK(cuStreamWaitEvent(other, never, 0));
    OK(cuEventRecord(event, fixture.stream));
    OK(cuStreamWaitEvent(other, event, 0));
    OK(cuLaunchHostFunc(fixture.stream, pass_gate, &gate));
    OK(cuEventRecord(event, fixture.stream));
    OK(cuStreamSynchronize(other));
    EXPECT(CUDA_ERROR_NOT_READY, cuEventQuery(event));
    EXPECT(CUDA_ERROR_NOT_READY, cuEventElapsedTime(&milliseconds, event, event));
    OK(cuStreamWaitEvent(other, event, 0));
    EXPECT(CUDA_ERROR_NOT_READY, cuStreamQuery(other));
    open_gate(&gate);
    OK(cuEventSynchronize(event));
    OK(cuEventElapsedTime_v2(&milliseconds, event, event));
    CHECK(milliseconds == 0);
    EXPECT(CUDA_ERROR_INVALID_HANDLE, cuEventElapsedTime(&milliseconds, never, event));
    OK(cuEventDestroy_v2(event));
    OK(cuEventDestroy_v2(never));
    EXPECT(CUDA_ERROR_INVALID_HANDLE, cuEventQuery(event));
    OK(cuStreamDestroy_v2(other));
    tear_down(&fixture, 0);
    check_nothing_lives();
}

static CUfunction combine(CUmodule *module) {
    CUfunction function;
    EXPECT(CUDA_ERROR_INVALID_IMAGE, cuModuleLoadDataEx(module, "not PTX", 0, NULL, NULL));
    OK(cuModuleLoadDataEx(module, ptx, 0, NULL, NULL));
    EXPECT(CUDA_ERROR_NOT_FOUND, cuModuleGetFunction(&function, *module, "combine"));
    EXPECT(CUDA_ERROR_NOT_FOUND, cuModuleGetFunction(&function, *module, "no_such_kernel"));
    EXPECT(CUDA_ERROR_NOT_FOUND, cuModuleGetFunction(&function, *module, "fill_b32"));
    OK(cuModuleGetFunction(&function, *module, "combine_f32"));
    return function;
}

static void count_up(void *data) {
    (*(int *) data)++;
}

static void a_graph_replays_what_was_captured(void) {
    fake_reset(1, MEMORY);
    Fixture fixture = set_up(0);
    CUmodule module;
    CUfunction function = combine(&module);
    CUgraph graph;
    CUgraphExec exec;
    CUstreamCaptureStatus status;
    int host_calls = 0;
    size_t nodes;
    CombineArguments twice = {.out = (void *) fixture.memory, .count = COUNT, .terms = 1, .weights = {2}};
    twice.in[0] = (void *) fixture.memory;
    OK(cuStreamBeginCapture_v2(fixture.stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
    OK(cuLaunchKernel(function, 4, 1, 1, 64, 1, 1, 0, fixture.stream, (void *[]) {&twice}, NULL));
    OK(cuLaunchHostFunc(fixture.stream, count_up, &host_calls));
    OK(cuStreamIsCapturing(fixture.stream, &status));
    CHECK(status == CU_STREAM_CAPTURE_STATUS_ACTIVE);
    OK(cuStreamEndCapture(fixture.stream, &graph));
    OK(cuGraphGetNodes(graph, NULL, &nodes));
    CHECK(nodes == 2);
    memset(&twice, 0, sizeof twice);
    OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
    OK(cuGraphDestroy(graph));
    OK(cuMemsetD32Async(fixture.memory, 0x3F800000, COUNT, fixture.stream));
    for (int i = 0; i < 3; i++) {
        OK(cuGraphLaunch(exec, fixture.stream));
    }
    OK(cuGraphExecDestroy(exec));
    float out[COUNT];
    OK(cuMemcpyDtoHAsync_v2(out, fixture.memory, sizeof out, fixture.stream));
    OK(cuStreamSynchronize(fixture.stream));
    CHECK(out[0] == 8 && out[COUNT - 1] == 8 && host_calls == 3);
    OK(cuModuleUnload(module));
    tear_down(&fixture, 0);
    check_nothing_lives();
}

static void what_a_capture_forbids_invalidates_it(void) {
    fake_reset(1, MEMORY);
    Fixture fixture = set_up(0);
    CUgraph graph;
    CUevent event;
    void *pinned;
    OK(cuEventCreate(&event, 0));
    OK(cuStreamBeginCapture_v2(fixture.stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
    EXPECT(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuStreamSynchronize(fixture.stream));
    EXPECT(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuMemsetD8Async(fixture.memory, 0, 1, fixture.stream));
    EXPECT(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(fixture.stream, &graph));
    OK(cuStreamBeginCapture_v2(fixture.stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
    EXPECT(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuEventRecord(event, fixture.stream));
    EXPECT(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(fixture.stream, &graph));
    OK(cuStreamBeginCapture_v2(fixture.stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
    EXPECT(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuMemHostAlloc(&pinned, 1, 0));
    EXPECT(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(fixture.stream, &graph));
    EXPECT(CUDA_ERROR_ILLEGAL_STATE, cuStreamEndCapture(fixture.stream, &graph));
    OK(cuStreamSynchronize(fixture.stream));
    OK(cuEventDestroy_v2(event));
    tear_down(&fixture, 0);
    check_nothing_lives();
}

static void memory_ends_and_comes_back(void) {
    fake_reset(1, MEMORY);
    Fixture fixture = set_up(0);
    CUdeviceptr large;
    CUdeviceptr more;
    size_t free_bytes;
    size_t total;
    size_t rest = MEMORY - COUNT * sizeof(float);
    OK(cuMemAllocFromPoolAsync(&large, rest, fixture.pool, fixture.stream));
    EXPECT(CUDA_ERROR_OUT_OF_MEMORY, cuMemAllocFromPoolAsync(&more, 1, fixture.pool, fixture.stream));
    OK(cuMemGetInfo_v2(&free_bytes, &total));
    CHECK(free_bytes == 0 && total == MEMORY);
    EXPECT(CUDA_ERROR_INVALID_VALUE, cuMemsetD8Async(large, 0, rest + 1, fixture.stream));
    OK(cuMemFreeAsync(large, fixture.stream));
    EXPECT(CUDA_ERROR_INVALID_VALUE, cuMemFreeAsync(large, fixture.stream));
    OK(cuStreamSynchronize(fixture.stream));
    OK(cuMemAllocFromPoolAsync(&more, rest, fixture.pool, fixture.stream));
    OK(cuMemFreeAsync(more, fixture.stream));
    tear_down(&fixture, 0);
    check_nothing_lives();
}

static void a_pool_keeps_memory_until_it_is_trimmed(void) {
    fake_reset(1, MEMORY);
    Fixture fixture = set_up(0);
    CUmemoryPool other = new_pool(0);
    CUdeviceptr large;
    CUdeviceptr more;
    size_t free_bytes;
    size_t total;
    size_t rest = MEMORY - COUNT * sizeof(float);
    uint64_t all = UINT64_MAX;
    Gate gate;
    new_gate(&gate);
    OK(cuMemPoolSetAttribute(fixture.pool, 4, &all));
    OK(cuMemAllocFromPoolAsync(&large, rest, fixture.pool, fixture.stream));
    OK(cuLaunchHostFunc(fixture.stream, pass_gate, &gate));
    OK(cuMemFreeAsync(large, fixture.stream));
    OK(cuMemPoolTrimTo(fixture.pool, 0));
    OK(cuMemGetInfo_v2(&free_bytes, &total));
    CHECK(free_bytes == 0);
    open_gate(&gate);
    OK(cuStreamSynchronize(fixture.stream));
    EXPECT(CUDA_ERROR_OUT_OF_MEMORY, cuMemAllocFromPoolAsync(&more, rest, other, fixture.stream));
    OK(cuMemPoolTrimTo(fixture.pool, 0));
    OK(cuMemAllocFromPoolAsync(&more, rest, other, fixture.stream));
    OK(cuMemFreeAsync(more, fixture.stream));
    OK(cuMemPoolDestroy(other));
    tear_down(&fixture, 0);
    check_nothing_lives();
}

static void check_misuse(const char *expected) {
    char report[1000];
    fake_live_report(report, sizeof report);
    if (strstr(report, expected) == NULL) {
        fprintf(stderr, "not '%s', but:\n%s", expected, report);
        exit(1);
    }
}

static void memory_that_queued_work_touches_is_not_freed(void) {
    fake_reset(1, MEMORY);
    Fixture fixture = set_up(0);
    CUstream freeing;
    CUdeviceptr memory;
    CUevent event;
    Gate gate;
    Gate last;
    new_gate(&gate);
    new_gate(&last);
    OK(cuStreamCreate(&freeing, CU_STREAM_NON_BLOCKING));
    OK(cuEventCreate(&event, 0));
    OK(cuLaunchHostFunc(freeing, pass_gate, &last));
    for (int ordered = 1; ordered >= 0; ordered--) {
        OK(cuMemAllocFromPoolAsync(&memory, 4, fixture.pool, fixture.stream));
        OK(cuLaunchHostFunc(fixture.stream, pass_gate, &gate));
        OK(cuMemsetD32Async(memory, 1, 1, fixture.stream));
        OK(cuEventRecord(event, fixture.stream));
        if (ordered) {
            OK(cuStreamWaitEvent(freeing, event, 0));
        }
        long before = fake_live_handles();
        OK(cuMemFreeAsync(memory, freeing));
        CHECK(fake_live_handles() == (ordered ? before - 1 : before));
    }
    check_misuse("before work that is queued on it");
    open_gate(&gate);
    OK(cuStreamSynchronize(fixture.stream));
    open_gate(&last);
    OK(cuStreamDestroy_v2(freeing));
    OK(cuEventDestroy_v2(event));
    tear_down(&fixture, 0);
    fake_reset(1, MEMORY);
    check_nothing_lives();
}

static void a_graph_ends_with_the_memory_that_it_touches(void) {
    fake_reset(1, MEMORY);
    Fixture fixture = set_up(0);
    CUdeviceptr memory;
    CUgraph graph;
    CUgraphExec exec;
    OK(cuMemAllocFromPoolAsync(&memory, 4, fixture.pool, fixture.stream));
    OK(cuStreamBeginCapture_v2(fixture.stream, CU_STREAM_CAPTURE_MODE_RELAXED));
    OK(cuMemsetD32Async(memory, 1, 1, fixture.stream));
    OK(cuStreamEndCapture(fixture.stream, &graph));
    OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
    OK(cuGraphLaunch(exec, fixture.stream));
    OK(cuMemFreeAsync(memory, fixture.stream));
    OK(cuGraphDestroy(graph));
    OK(cuGraphExecDestroy(exec));
    tear_down(&fixture, 0);
    check_nothing_lives();
    fixture = set_up(0);
    OK(cuMemAllocFromPoolAsync(&memory, 4, fixture.pool, fixture.stream));
    OK(cuStreamBeginCapture_v2(fixture.stream, CU_STREAM_CAPTURE_MODE_RELAXED));
    OK(cuMemsetD32Async(memory, 1, 1, fixture.stream));
    OK(cuStreamEndCapture(fixture.stream, &graph));
    OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
    OK(cuMemFreeAsync(memory, fixture.stream));
    EXPECT(CUDA_ERROR_INVALID_VALUE, cuGraphLaunch(exec, fixture.stream));
    check_misuse("touches memory which was freed");
    OK(cuGraphDestroy(graph));
    OK(cuGraphExecDestroy(exec));
    tear_down(&fixture, 0);
    fake_reset(1, MEMORY);
    check_nothing_lives();
}

static void captures_refuse_copies_between_devices_unless_they_are_to_take_them(void) {
    fake_reset(2, MEMORY);
    Fixture first = set_up(0);
    Fixture second = set_up(1);
    CUgraph graph;
    for (int taken = 0; taken < 2; taken++) {
        fake_capture_peer_copies(taken);
        OK(cuStreamBeginCapture_v2(second.stream, CU_STREAM_CAPTURE_MODE_RELAXED));
        EXPECT(taken ? CUDA_SUCCESS : CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuMemcpyPeerAsync(second.memory,
            second.context, first.memory, first.context, 4, second.stream));
        EXPECT(taken ? CUDA_SUCCESS : CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(second.stream, &graph));
    }
    OK(cuGraphDestroy(graph));
    tear_down(&second, 1);
    tear_down(&first, 0);
    check_nothing_lives();
}

static int held_up_calls;

static void count_hold_up(void) {
    held_up_calls++;
}

static void a_thread_can_be_held_up_after_a_call(void) {
    fake_reset(1, MEMORY);
    int count;
    OK(cuInit(0));
    fake_after_call("cuDeviceGetCount", count_hold_up);
    OK(cuDriverGetVersion(&count));
    CHECK(held_up_calls == 0);
    OK(cuDeviceGetCount(&count));
    OK(cuDeviceGetCount(&count));
    CHECK(held_up_calls == 1);
}

static void contexts_are_checked(void) {
    fake_reset(2, MEMORY);
    CUstream stream;
    EXPECT(CUDA_ERROR_NOT_INITIALIZED, cuStreamCreate(&stream, 0));
    Fixture first = set_up(0);
    Fixture second = set_up(1);
    EXPECT(CUDA_ERROR_INVALID_HANDLE, cuMemsetD8Async(first.memory, 0, 1, first.stream));
    EXPECT(CUDA_ERROR_INVALID_VALUE, cuMemcpyDtoDAsync_v2(second.memory, first.memory, 1, second.stream));
    OK(cuMemcpyPeerAsync(second.memory, second.context, first.memory, first.context, 4, second.stream));
    CUmemAccessDesc access = {{CU_MEM_LOCATION_TYPE_DEVICE, 1}, CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
    OK(cuMemPoolSetAccess(first.pool, &access, 1));
    OK(cuMemcpyDtoDAsync_v2(second.memory, first.memory, 1, second.stream));
    OK(cuCtxSynchronize());
    OK(cuCtxSetCurrent(NULL));
    EXPECT(CUDA_ERROR_INVALID_CONTEXT, cuStreamSynchronize(first.stream));
    tear_down(&first, 0);
    EXPECT(CUDA_ERROR_INVALID_CONTEXT, cuCtxSetCurrent(first.context));
    OK(cuCtxSetCurrent(second.context));
    OK(cuCtxSetCurrent(NULL));
    tear_down(&second, 1);
    check_nothing_lives();
}

/* A life of a device, in which a call may fail; what was made is freed. Returns the first failure. */
static CUresult live(void) {
    CUcontext context = NULL;
    CUstream stream = NULL;
    CUevent event = NULL;
    void *pinned = NULL;
    CUresult first;
    CUresult next;
    if ((first = cuInit(0)) != CUDA_SUCCESS || (first = cuDevicePrimaryCtxRetain(&context, 0)) != CUDA_SUCCESS) {
        return first;
    }
    if ((first = cuCtxSetCurrent(context)) == CUDA_SUCCESS
            && (first = cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING)) == CUDA_SUCCESS
            && (first = cuEventCreate(&event, 0)) == CUDA_SUCCESS
            && (first = cuMemHostAlloc(&pinned, 100, 0)) == CUDA_SUCCESS
            && (first = cuEventRecord(event, stream)) == CUDA_SUCCESS) {
        first = cuEventSynchronize(event);
    }
    next = pinned == NULL ? CUDA_SUCCESS : cuMemFreeHost(pinned);
    first = first == CUDA_SUCCESS ? next : first;
    next = event == NULL ? CUDA_SUCCESS : cuEventDestroy_v2(event);
    first = first == CUDA_SUCCESS ? next : first;
    next = stream == NULL ? CUDA_SUCCESS : cuStreamDestroy_v2(stream);
    first = first == CUDA_SUCCESS ? next : first;
    next = cuDevicePrimaryCtxRelease_v2(0);
    return first == CUDA_SUCCESS ? next : first;
}

static void each_call_can_fail_and_nothing_stays(void) {
    fake_reset(1, MEMORY);
    OK(live());
    long calls = fake_calls();
    CHECK(calls == 12);
    for (long n = 1; n <= calls; n++) {
        fake_fail_call(n, CUDA_ERROR_OUT_OF_MEMORY);
        EXPECT(CUDA_ERROR_OUT_OF_MEMORY, live());
        CHECK(strlen(fake_last_failed_name()) > 0);
        check_nothing_lives();
    }
    CHECK(strcmp(fake_last_failed_name(), "cuDevicePrimaryCtxRelease_v2") == 0);
}

static void a_lost_device_drops_its_work_and_releases_who_waits(void) {
    fake_reset(2, MEMORY);
    Fixture lost = set_up(0);
    CUevent event;
    Gate gate;
    int host_calls = 0;
    new_gate(&gate);
    OK(cuEventCreate(&event, 0));
    OK(cuLaunchHostFunc(lost.stream, pass_gate, &gate));
    OK(cuLaunchHostFunc(lost.stream, count_up, &host_calls));
    OK(cuEventRecord(event, lost.stream));
    Fixture other = set_up(1);
    OK(cuStreamWaitEvent(other.stream, event, 0));
    fake_lose_device(0);
    OK(cuStreamSynchronize(other.stream));
    OK(cuCtxSetCurrent(lost.context));
    EXPECT(CUDA_ERROR_LAUNCH_FAILED, cuStreamSynchronize(lost.stream));
    EXPECT(CUDA_ERROR_LAUNCH_FAILED, cuEventQuery(event));
    open_gate(&gate);
    OK(cuCtxSetCurrent(NULL));
    OK(cuDevicePrimaryCtxRelease_v2(0));
    CHECK(host_calls == 0);
    OK(cuMemPoolDestroy(lost.pool));
    tear_down(&other, 1);
    check_nothing_lives();
    CUcontext context;
    EXPECT(CUDA_ERROR_LAUNCH_FAILED, cuDevicePrimaryCtxRetain(&context, 0));
    fake_new_process();
    Fixture again = set_up(0);
    tear_down(&again, 0);
}

/* Only an address sanitizer sees whether it is the old memory that is copied to. */
static void a_healthy_device_may_still_copy_to_one_that_was_lost(void) {
    fake_reset(2, MEMORY);
    Fixture lost = set_up(0);
    Fixture healthy = set_up(1);
    Gate gate;
    new_gate(&gate);
    OK(cuLaunchHostFunc(healthy.stream, pass_gate, &gate));
    OK(cuMemcpyPeerAsync(lost.memory, lost.context, healthy.memory, healthy.context, COUNT * sizeof(float),
        healthy.stream));
    fake_lose_device(0);
    OK(cuCtxSetCurrent(NULL));
    OK(cuDevicePrimaryCtxRelease_v2(0));
    open_gate(&gate);
    OK(cuCtxSetCurrent(healthy.context));
    OK(cuStreamSynchronize(healthy.stream));
    OK(cuMemPoolDestroy(lost.pool));
    tear_down(&healthy, 1);
    check_nothing_lives();
}

static void what_outlives_its_context_is_reported(void) {
    fake_reset(1, MEMORY);
    Fixture fixture = set_up(0);
    OK(cuMemPoolDestroy(fixture.pool));
    OK(cuDevicePrimaryCtxRelease_v2(0));
    CHECK(fake_live_handles() == 2);
    char report[200];
    CHECK(fake_live_report(report, sizeof report) > 0 && strstr(report, "stream") != NULL);
    fake_reset(1, MEMORY);
    check_nothing_lives();
}

static CUresult called_from_host_function;

static void call_driver(void *data) {
    int *count = data;
    called_from_host_function = cuDeviceGetCount(count);
}

static void host_functions_must_not_call_the_driver(void) {
    fake_reset(1, MEMORY);
    Fixture fixture = set_up(0);
    int count;
    OK(cuLaunchHostFunc(fixture.stream, call_driver, &count));
    OK(cuStreamSynchronize(fixture.stream));
    CHECK(called_from_host_function == CUDA_ERROR_NOT_PERMITTED);
    tear_down(&fixture, 0);
}

/* Each thread passes a value back and forth between two devices, with events as the only order. */
static void *pass_around(void *argument) {
    Fixture ends[2] = {set_up(0), set_up(1)};
    CUevent events[2];
    float *host = argument;
    for (int i = 0; i < 2; i++) {
        OK(cuCtxSetCurrent(ends[i].context));
        OK(cuEventCreate(&events[i], CU_EVENT_DISABLE_TIMING));
    }
    OK(cuCtxSetCurrent(ends[0].context));
    OK(cuMemcpyHtoDAsync_v2(ends[0].memory, host, sizeof *host, ends[0].stream));
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 2; i++) {
            OK(cuCtxSetCurrent(ends[i].context));
            OK(cuMemcpyPeerAsync(ends[!i].memory, ends[!i].context, ends[i].memory, ends[i].context, sizeof *host,
                ends[i].stream));
            OK(cuEventRecord(events[i], ends[i].stream));
            OK(cuCtxSetCurrent(ends[!i].context));
            OK(cuStreamWaitEvent(ends[!i].stream, events[i], 0));
        }
    }
    OK(cuCtxSetCurrent(ends[0].context));
    OK(cuMemcpyDtoHAsync_v2(host + 1, ends[0].memory, sizeof *host, ends[0].stream));
    OK(cuStreamSynchronize(ends[0].stream));
    for (int i = 0; i < 2; i++) {
        OK(cuCtxSetCurrent(ends[i].context));
        OK(cuEventDestroy_v2(events[i]));
        tear_down(&ends[i], i);
    }
    return NULL;
}

static void many_threads_can_use_it(void) {
    enum { THREADS = 4 };
    fake_reset(2, MEMORY);
    pthread_t threads[THREADS];
    float values[THREADS][2];
    for (int i = 0; i < THREADS; i++) {
        values[i][0] = (float) i;
        pthread_create(&threads[i], NULL, pass_around, values[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        CHECK(values[i][1] == (float) i);
    }
    check_nothing_lives();
}

int main(void) {
    streams_run_at_the_same_time_and_each_in_order();
    a_wait_means_the_record_before_it();
    a_graph_replays_what_was_captured();
    what_a_capture_forbids_invalidates_it();
    memory_ends_and_comes_back();
    a_pool_keeps_memory_until_it_is_trimmed();
    memory_that_queued_work_touches_is_not_freed();
    a_graph_ends_with_the_memory_that_it_touches();
    captures_refuse_copies_between_devices_unless_they_are_to_take_them();
    a_thread_can_be_held_up_after_a_call();
    contexts_are_checked();
    each_call_can_fail_and_nothing_stays();
    a_lost_device_drops_its_work_and_releases_who_waits();
    a_healthy_device_may_still_copy_to_one_that_was_lost();
    what_outlives_its_context_is_reported();
    host_functions_must_not_call_the_driver();
    many_threads_can_use_it();
    fake_reset(0, 0);
    EXPECT(CUDA_ERROR_NO_DEVICE, cuInit(0));
    puts("the stand-in for the CUDA driver works");
    return 0;
}
