package dev.slipstream.bridge.cuda.driver;

import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_ERROR_NOT_READY;
import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_SUCCESS;
import static dev.slipstream.jextract.cuda.CudaDriver.CU_EVENT_DEFAULT;
import static dev.slipstream.jextract.cuda.CudaDriver.CU_EVENT_DISABLE_TIMING;
import static dev.slipstream.jextract.cuda.CudaDriver.CU_STREAM_CAPTURE_MODE_RELAXED;
import static dev.slipstream.jextract.cuda.CudaDriver.CU_STREAM_NON_BLOCKING;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceLostException;
import dev.slipstream.bridge.cuda.driver.Handle.ContextHandle;
import dev.slipstream.bridge.cuda.driver.Handle.EventHandle;
import dev.slipstream.bridge.cuda.driver.Handle.GraphHandle;
import dev.slipstream.bridge.cuda.driver.Handle.KernelHandle;
import dev.slipstream.bridge.cuda.driver.Handle.StreamHandle;
import dev.slipstream.bridge.provider.DeviceHealth;
import dev.slipstream.jextract.cuda.CudaDriver;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Calls of the driver in one device's context, which each makes current on its thread where another is. A result that
 * is not success is an exception that names device, call, code and sizes; one that CUDA keeps for ever marks the device
 * lost, and then no call is made any more. Calls that give something back are made even then and never fail for it.
 *
 * <p>Addresses are numbers. A thread that calls CUDA by other means between two calls leaves the current context as it
 * was, as CUDA's own libraries do. The calls that a loop makes allocate nothing. Any thread may use it, as far as the
 * handles allow.
 */
public final class DeviceCalls {
    /**
     * Whose context each thread made current last, and nothing else changed since. The driver keeps a current context
     * for each thread of the process, so this does too.
     */
    private static final ThreadLocal<Current> CURRENT = ThreadLocal.withInitial(Current::new);

    private static final class Current {
        private DeviceCalls calls;
    }

    private final String device;
    private final ContextHandle context;
    private final DeviceHealth health;

    /**
     * @param device what errors call it
     * @param health where it is noted that the device is lost
     */
    public DeviceCalls(String device, ContextHandle context, DeviceHealth health) {
        this.device = device;
        this.context = context;
        this.health = health;
    }

    public ContextHandle context() {
        return context;
    }

    public DeviceHealth health() {
        return health;
    }

    /**
     * Makes the context current on this thread, for libraries that call CUDA themselves. What they leave is not relied
     * on: the next call of ours makes its context current again.
     */
    public void makeCurrent() {
        health.requireUsable();
        CURRENT.get().calls = null;
        check(CudaDriver.cuCtxSetCurrent(context.pointer()), "cuCtxSetCurrent");
    }

    /** Makes the context current for a call of ours, unless it is. */
    void enter() {
        health.requireUsable();
        Current current = CURRENT.get();
        if (current.calls != this) {
            current.calls = null;
            check(CudaDriver.cuCtxSetCurrent(context.pointer()), "cuCtxSetCurrent");
            current.calls = this;
        }
    }

    public Device.Memory memory() {
        enter();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment free = arena.allocate(ValueLayout.JAVA_LONG);
            MemorySegment total = arena.allocate(ValueLayout.JAVA_LONG);
            check(CudaDriver.cuMemGetInfo_v2(free, total), "cuMemGetInfo");
            return new Device.Memory(free.get(ValueLayout.JAVA_LONG, 0), total.get(ValueLayout.JAVA_LONG, 0));
        }
    }

    /** Pinned host memory of at least one byte; it belongs to no arena. */
    public MemorySegment allocatePinned(long bytes) {
        enter();
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

    public void upload(MemorySegment from, long to, long bytes, StreamHandle stream) {
        enter();
        int result = CudaDriver.cuMemcpyHtoDAsync_v2(to, from, bytes, stream.pointer());
        if (result != CUDA_SUCCESS()) {
            throw failed("cuMemcpyHtoDAsync of " + bytes + " bytes", result);
        }
    }

    public void download(long from, MemorySegment to, long bytes, StreamHandle stream) {
        enter();
        int result = CudaDriver.cuMemcpyDtoHAsync_v2(to, from, bytes, stream.pointer());
        if (result != CUDA_SUCCESS()) {
            throw failed("cuMemcpyDtoHAsync of " + bytes + " bytes", result);
        }
    }

    /** Copies inside the device. */
    public void copy(long from, long to, long bytes, StreamHandle stream) {
        enter();
        int result = CudaDriver.cuMemcpyDtoDAsync_v2(to, from, bytes, stream.pointer());
        if (result != CUDA_SUCCESS()) {
            throw failed("cuMemcpyDtoDAsync of " + bytes + " bytes", result);
        }
    }

    /** Copies between devices, on a stream of this one. */
    public void copyPeer(long from, DeviceCalls source, long to, DeviceCalls target, long bytes, StreamHandle stream) {
        enter();
        int result = CudaDriver.cuMemcpyPeerAsync(to, target.context.pointer(), from, source.context.pointer(), bytes,
            stream.pointer());
        if (result != CUDA_SUCCESS()) {
            throw failed("cuMemcpyPeerAsync of " + bytes + " bytes from " + source.device + " to " + target.device,
                result);
        }
    }

    public StreamHandle newStream() {
        enter();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
            check(CudaDriver.cuStreamCreateWithPriority(out, CU_STREAM_NON_BLOCKING(), 0),
                "cuStreamCreateWithPriority");
            return new StreamHandle(out.get(ValueLayout.ADDRESS, 0));
        }
    }

    public void destroyStream(StreamHandle stream) {
        give(bind(), CudaDriver.cuStreamDestroy_v2(stream.pointer()), "cuStreamDestroy");
    }

    /** Whether the stream has done all that it was given. */
    public boolean isIdle(StreamHandle stream) {
        enter();
        return isReady(CudaDriver.cuStreamQuery(stream.pointer()), "cuStreamQuery");
    }

    /**
     * Like {@link #isIdle}, but says of a stream that is lost or given up too whether anything may still be running.
     */
    public boolean isOver(StreamHandle stream) {
        CURRENT.get().calls = null;
        return CudaDriver.cuCtxSetCurrent(context.pointer()) != CUDA_SUCCESS()
            || CudaDriver.cuStreamQuery(stream.pointer()) != CUDA_ERROR_NOT_READY();
    }

    public void await(StreamHandle stream, EventHandle event) {
        enter();
        check(CudaDriver.cuStreamWaitEvent(stream.pointer(), event.pointer(), 0), "cuStreamWaitEvent");
    }

    public EventHandle newEvent(boolean timed) {
        enter();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
            check(CudaDriver.cuEventCreate(out, timed ? CU_EVENT_DEFAULT() : CU_EVENT_DISABLE_TIMING()),
                "cuEventCreate");
            return new EventHandle(out.get(ValueLayout.ADDRESS, 0));
        }
    }

    public void destroyEvent(EventHandle event) {
        give(bind(), CudaDriver.cuEventDestroy_v2(event.pointer()), "cuEventDestroy");
    }

    public void record(EventHandle event, StreamHandle stream) {
        enter();
        check(CudaDriver.cuEventRecord(event.pointer(), stream.pointer()), "cuEventRecord");
    }

    public boolean isDone(EventHandle event) {
        enter();
        return isReady(CudaDriver.cuEventQuery(event.pointer()), "cuEventQuery");
    }

    /** Milliseconds from one timed event to another; both are done. */
    public float elapsed(EventHandle start, EventHandle end) {
        enter();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.JAVA_FLOAT);
            check(CudaDriver.cuEventElapsedTime(out, start.pointer(), end.pointer()), "cuEventElapsedTime");
            return out.get(ValueLayout.JAVA_FLOAT, 0);
        }
    }

    /**
     * From now on what the stream is given is noted in a graph. The relaxed mode leaves everything else alone: other
     * streams work on, memory may be allocated, and another thread may end the capture.
     */
    public void beginCapture(StreamHandle stream) {
        enter();
        check(CudaDriver.cuStreamBeginCapture_v2(stream.pointer(), CU_STREAM_CAPTURE_MODE_RELAXED()),
            "cuStreamBeginCapture");
    }

    /** The graph that was noted, ready to be launched; {@link #destroyGraph} frees it. The capture ends in any case. */
    public GraphHandle endCapture(StreamHandle stream) {
        health.requireUsable();
        int bound = bind();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
            int ended = CudaDriver.cuStreamEndCapture(stream.pointer(), out);
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
            return new GraphHandle(graph);
        }
    }

    public void launch(GraphHandle graph, StreamHandle stream) {
        enter();
        check(CudaDriver.cuGraphLaunch(graph.pointer(), stream.pointer()), "cuGraphLaunch");
    }

    public void destroyGraph(GraphHandle graph) {
        give(bind(), CudaDriver.cuGraphExecDestroy(graph.pointer()), "cuGraphExecDestroy");
    }

    /**
     * Launches a kernel whose threads stride over a grid.
     *
     * @param parameters pointers to the kernel's arguments, which are read before this returns
     */
    public void launch(KernelHandle kernel, int blocks, int threads, MemorySegment parameters, StreamHandle stream) {
        enter();
        check(CudaDriver.cuLaunchKernel(kernel.pointer(), blocks, 1, 1, threads, 1, 1, 0, stream.pointer(), parameters,
            MemorySegment.NULL),
            "cuLaunchKernel");
    }

    /** Calls one of the {@link HostFunctions} in the stream's order. */
    public void callHost(MemorySegment function, long argument, StreamHandle stream) {
        enter();
        check(CudaDriver.cuLaunchHostFunc(stream.pointer(), function, MemorySegment.ofAddress(argument)),
            "cuLaunchHostFunc");
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
        Current current = CURRENT.get();
        if (current.calls == this) {
            return CUDA_SUCCESS();
        }
        current.calls = null;
        int result = CudaDriver.cuCtxSetCurrent(context.pointer());
        if (result == CUDA_SUCCESS() || CudaDriver.cuCtxSetCurrent(context.pointer()) == CUDA_SUCCESS()) {
            current.calls = this;
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
