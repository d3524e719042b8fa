package dev.slipstream.bridge.cuda.driver;

import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_ERROR_NOT_READY;
import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_SUCCESS;
import static dev.slipstream.jextract.cuda.CudaDriver.CU_EVENT_DEFAULT;
import static dev.slipstream.jextract.cuda.CudaDriver.CU_EVENT_DISABLE_TIMING;
import static dev.slipstream.jextract.cuda.CudaDriver.CU_STREAM_CAPTURE_MODE_RELAXED;
import static dev.slipstream.jextract.cuda.CudaDriver.CU_STREAM_NON_BLOCKING;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceLostException;
import dev.slipstream.bridge.DeviceMemory;
import dev.slipstream.jextract.cuda.CudaDriver;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Calls of the driver in one device's context, which each makes current on its thread before. A result that is not
 * success is an exception that names device, call, code and sizes; one that CUDA keeps for ever marks the device lost,
 * and then no call is made any more. Calls that give something back are made even then and never fail for it.
 *
 * <p>Handles are pointers as the driver gave them, addresses are numbers. The calls that a loop makes allocate nothing.
 * Any thread may use it, as far as the handles allow.
 */
public final class DeviceCalls {
    private final String device;
    private final MemorySegment context;
    private final DeviceHealth health;

    /** @param device what errors call it */
    public DeviceCalls(String device, MemorySegment context) {
        this.device = device;
        this.context = context;
        this.health = new DeviceHealth(device);
    }

    public MemorySegment context() {
        return context;
    }

    public DeviceHealth health() {
        return health;
    }

    /** Makes the context current on this thread, for libraries that call CUDA themselves. */
    public void makeCurrent() {
        health.requireUsable();
        check(CudaDriver.cuCtxSetCurrent(context), "cuCtxSetCurrent");
    }

    public DeviceMemory memory() {
        makeCurrent();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment free = arena.allocate(ValueLayout.JAVA_LONG);
            MemorySegment total = arena.allocate(ValueLayout.JAVA_LONG);
            check(CudaDriver.cuMemGetInfo_v2(free, total), "cuMemGetInfo");
            return new DeviceMemory(free.get(ValueLayout.JAVA_LONG, 0), total.get(ValueLayout.JAVA_LONG, 0));
        }
    }

    /** Pinned host memory of at least one byte; it belongs to no arena. */
    public MemorySegment allocatePinned(long bytes) {
        makeCurrent();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
            int result = CudaDriver.cuMemHostAlloc(out, bytes, 0);
            if (result != CUDA_SUCCESS()) {
                throw failed("cuMemHostAlloc of " + bytes + " bytes", result);
            }
            return out.get(ValueLayout.ADDRESS, 0).reinterpret(bytes);
        }
    }

    public void freePinned(MemorySegment memory) {
        give(bind(), CudaDriver.cuMemFreeHost(memory), "cuMemFreeHost");
    }

    public void upload(MemorySegment from, long to, long bytes, MemorySegment stream) {
        makeCurrent();
        int result = CudaDriver.cuMemcpyHtoDAsync_v2(to, from, bytes, stream);
        if (result != CUDA_SUCCESS()) {
            throw failed("cuMemcpyHtoDAsync of " + bytes + " bytes", result);
        }
    }

    public void download(long from, MemorySegment to, long bytes, MemorySegment stream) {
        makeCurrent();
        int result = CudaDriver.cuMemcpyDtoHAsync_v2(to, from, bytes, stream);
        if (result != CUDA_SUCCESS()) {
            throw failed("cuMemcpyDtoHAsync of " + bytes + " bytes", result);
        }
    }

    /** Copies inside the device. */
    public void copy(long from, long to, long bytes, MemorySegment stream) {
        makeCurrent();
        int result = CudaDriver.cuMemcpyDtoDAsync_v2(to, from, bytes, stream);
        if (result != CUDA_SUCCESS()) {
            throw failed("cuMemcpyDtoDAsync of " + bytes + " bytes", result);
        }
    }

    /** Copies between devices, on a stream of this one. */
    public void copyPeer(long from, DeviceCalls source, long to, DeviceCalls target, long bytes, MemorySegment stream) {
        makeCurrent();
        int result = CudaDriver.cuMemcpyPeerAsync(to, target.context, from, source.context, bytes, stream);
        if (result != CUDA_SUCCESS()) {
            throw failed("cuMemcpyPeerAsync of " + bytes + " bytes from " + source.device + " to " + target.device,
                result);
        }
    }

    public MemorySegment newStream() {
        makeCurrent();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
            check(CudaDriver.cuStreamCreateWithPriority(out, CU_STREAM_NON_BLOCKING(), 0),
                "cuStreamCreateWithPriority");
            return out.get(ValueLayout.ADDRESS, 0);
        }
    }

    public void destroyStream(MemorySegment stream) {
        give(bind(), CudaDriver.cuStreamDestroy_v2(stream), "cuStreamDestroy");
    }

    /** Whether the stream has done all that it was given. */
    public boolean isIdle(MemorySegment stream) {
        makeCurrent();
        return isReady(CudaDriver.cuStreamQuery(stream), "cuStreamQuery");
    }

    /**
     * Like {@link #isIdle}, but says of a stream that is lost or given up too whether anything may still be running.
     */
    public boolean isOver(MemorySegment stream) {
        return CudaDriver.cuCtxSetCurrent(context) != CUDA_SUCCESS()
            || CudaDriver.cuStreamQuery(stream) != CUDA_ERROR_NOT_READY();
    }

    public void await(MemorySegment stream, MemorySegment event) {
        makeCurrent();
        check(CudaDriver.cuStreamWaitEvent(stream, event, 0), "cuStreamWaitEvent");
    }

    public MemorySegment newEvent(boolean timed) {
        makeCurrent();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
            check(CudaDriver.cuEventCreate(out, timed ? CU_EVENT_DEFAULT() : CU_EVENT_DISABLE_TIMING()),
                "cuEventCreate");
            return out.get(ValueLayout.ADDRESS, 0);
        }
    }

    public void destroyEvent(MemorySegment event) {
        give(bind(), CudaDriver.cuEventDestroy_v2(event), "cuEventDestroy");
    }

    public void record(MemorySegment event, MemorySegment stream) {
        makeCurrent();
        check(CudaDriver.cuEventRecord(event, stream), "cuEventRecord");
    }

    public boolean isDone(MemorySegment event) {
        makeCurrent();
        return isReady(CudaDriver.cuEventQuery(event), "cuEventQuery");
    }

    /** Milliseconds from one timed event to another; both are done. */
    public float elapsed(MemorySegment start, MemorySegment end) {
        makeCurrent();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.JAVA_FLOAT);
            check(CudaDriver.cuEventElapsedTime(out, start, end), "cuEventElapsedTime");
            return out.get(ValueLayout.JAVA_FLOAT, 0);
        }
    }

    /**
     * From now on what the stream is given is noted in a graph. The relaxed mode leaves everything else alone: other
     * streams work on, memory may be allocated, and another thread may end the capture.
     */
    public void beginCapture(MemorySegment stream) {
        makeCurrent();
        check(CudaDriver.cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_RELAXED()),
            "cuStreamBeginCapture");
    }

    /** The graph that was noted, ready to be launched; {@link #destroyGraph} frees it. The capture ends in any case. */
    public MemorySegment endCapture(MemorySegment stream) {
        health.requireUsable();
        int bound = bind();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
            int ended = CudaDriver.cuStreamEndCapture(stream, out);
            MemorySegment noted = out.get(ValueLayout.ADDRESS, 0);
            if (bound != CUDA_SUCCESS() && ended == CUDA_SUCCESS()) {
                CudaDriver.cuGraphDestroy(noted);
            }
            check(bound, "cuCtxSetCurrent");
            check(ended, "cuStreamEndCapture");
            int instantiated = CudaDriver.cuGraphInstantiateWithFlags(out, noted, 0);
            int destroyed = CudaDriver.cuGraphDestroy(noted);
            check(instantiated, "cuGraphInstantiateWithFlags");
            MemorySegment graph = out.get(ValueLayout.ADDRESS, 0);
            if (destroyed != CUDA_SUCCESS()) {
                CudaDriver.cuGraphExecDestroy(graph);
                throw failed("cuGraphDestroy", destroyed);
            }
            return graph;
        }
    }

    public void launch(MemorySegment graph, MemorySegment stream) {
        makeCurrent();
        check(CudaDriver.cuGraphLaunch(graph, stream), "cuGraphLaunch");
    }

    public void destroyGraph(MemorySegment graph) {
        give(bind(), CudaDriver.cuGraphExecDestroy(graph), "cuGraphExecDestroy");
    }

    /**
     * Launches a kernel whose threads stride over a grid.
     *
     * @param parameters pointers to the kernel's arguments, which are read before this returns
     */
    public void launch(MemorySegment kernel, int blocks, int threads, MemorySegment parameters, MemorySegment stream) {
        makeCurrent();
        check(CudaDriver.cuLaunchKernel(kernel, blocks, 1, 1, threads, 1, 1, 0, stream, parameters, MemorySegment.NULL),
            "cuLaunchKernel");
    }

    /** Calls one of the {@link HostFunctions} in the stream's order. */
    public void callHost(MemorySegment function, long argument, MemorySegment stream) {
        makeCurrent();
        check(CudaDriver.cuLaunchHostFunc(stream, function, MemorySegment.ofAddress(argument)), "cuLaunchHostFunc");
    }

    /** For calls in this package that are grouped elsewhere. */
    void check(int result, String call) {
        if (result != CUDA_SUCCESS()) {
            throw failed(call, result);
        }
    }

    /** The exception for a result, after the device was marked if it is lost by it. */
    DeviceException failed(String call, int result) {
        DeviceException failure = CudaErrors.of(device, call, result);
        if (failure instanceof DeviceLostException lost) {
            health.lose(lost);
        }
        return failure;
    }

    /**
     * Makes the context current for a call that gives something back. If that fails it is tried once more, so that what
     * is to be given back is not lost because of it.
     *
     * @return the first result
     */
    int bind() {
        int result = CudaDriver.cuCtxSetCurrent(context);
        if (result != CUDA_SUCCESS()) {
            CudaDriver.cuCtxSetCurrent(context);
        }
        return result;
    }

    /** Checks calls that give something back: of a lost device everything is gone already. */
    void give(int bound, int freed, String call) {
        if (!health.isLost()) {
            check(bound, "cuCtxSetCurrent");
            check(freed, call);
        }
    }

    private boolean isReady(int result, String call) {
        if (result == CUDA_ERROR_NOT_READY()) {
            return false;
        }
        check(result, call);
        return true;
    }
}
