package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.CapturedGraph;
import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.cuda.driver.DeviceCalls;
import dev.slipstream.bridge.cuda.driver.Handle.EventHandle;
import dev.slipstream.bridge.cuda.driver.Handle.GraphHandle;
import dev.slipstream.bridge.cuda.driver.Handle.KernelHandle;
import dev.slipstream.bridge.cuda.driver.Handle.StreamHandle;
import dev.slipstream.bridge.cuda.driver.KernelModule;
import dev.slipstream.bridge.provider.Closer;
import dev.slipstream.bridge.rival.Address;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.bytedeco.cuda.cudart.CUctx_st;
import org.bytedeco.cuda.cudart.CUevent_st;
import org.bytedeco.cuda.cudart.CUfunc_st;
import org.bytedeco.cuda.cudart.CUgraphExec_st;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** What the calls are made with, prepared for each of the ways to make them. All name the same objects. */
@State(Scope.Thread)
public class DriverHandles {
    private static final long BYTES = Float.BYTES;

    /** {@code null} does nothing, {@code fake} is the stand-in of the tests, with a queue and a thread a stream. */
    @Param({"null", "fake"})
    public String driver;

    /** What the last bare call returned. */
    int result;

    private final Closer owned = new Closer();
    private CudaDevice device;
    DeviceCalls calls;

    CudaStream safeStream;
    StreamHandle typedStream;
    MemorySegment stream;
    CUstream_st jniStream;

    MemorySegment context;
    CUctx_st jniContext;

    CudaEvent safeEvent;
    EventHandle typedEvent;
    MemorySegment event;
    CUevent_st jniEvent;

    Slice from;
    Slice to;
    long fromAddress;
    long toAddress;
    long bytes = BYTES;

    Combination combination;
    KernelHandle typedKernel;
    MemorySegment kernel;
    CUfunc_st jniKernel;
    MemorySegment parameters;
    PointerPointer<Pointer> jniParameters;
    PointerPointer<Pointer> jniNothing;

    CapturedGraph safeGraph;
    GraphHandle typedGraph;
    MemorySegment graph;
    CUgraphExec_st jniGraph;

    @Setup(Level.Trial)
    public void open() throws IOException {
        device = owned.own((CudaDevice) NativeGpu.open(driver, new NoEngines()));
        calls = device.calls();
        context = calls.context().pointer();
        jniContext = new CUctx_st(Address.of(context));
        safeStream = owned.own((CudaStream) device.newStream("measured"));
        typedStream = safeStream.handle();
        stream = typedStream.pointer();
        jniStream = new CUstream_st(Address.of(stream));
        safeEvent = owned.own((CudaEvent) device.newEvent());
        typedEvent = calls.newEvent(false);
        owned.own(() -> calls.destroyEvent(typedEvent));
        event = typedEvent.pointer();
        jniEvent = new CUevent_st(Address.of(event));
        from = owned.own(device.allocate(BYTES)).slice(0, BYTES);
        to = owned.own(device.allocate(BYTES)).slice(0, BYTES);
        fromAddress = CudaBuffer.address(from);
        toAddress = CudaBuffer.address(to);
        prepareKernel();
        prepareGraph();
    }

    private void prepareKernel() throws IOException {
        combination = new Combination(to, List.of(from), List.of(1f));
        try (InputStream ptx = CudaKernels.class.getResourceAsStream("kernels.ptx")) {
            typedKernel = owned.own(KernelModule.load(calls, new String(ptx.readAllBytes(), StandardCharsets.UTF_8)))
                .kernel("combine_f32");
        }
        kernel = typedKernel.pointer();
        jniKernel = new CUfunc_st(Address.of(kernel));
        LaunchArguments arguments = new LaunchArguments();
        device.kernels().combine(combination, arguments, typedStream); // which writes them
        parameters = arguments.pointers();
        jniParameters = new PointerPointer<>(Address.of(parameters));
    }

    private void prepareGraph() {
        safeStream.beginCapture();
        safeStream.combine(combination);
        safeGraph = owned.own(safeStream.endCapture());
        typedGraph = ((Capture.Graph) safeGraph).handle();
        graph = typedGraph.pointer();
        jniGraph = new CUgraphExec_st(Address.of(graph));
    }

    /** Bare calls need the context. What was queued ends here, outside of what is measured. */
    @Setup(Level.Iteration)
    public void makeCurrent() {
        safeStream.synchronize();
        calls.makeCurrent();
    }

    @TearDown(Level.Iteration)
    public void check() {
        if (result != 0) {
            throw new IllegalStateException("the last call returned " + result);
        }
    }

    @TearDown(Level.Trial)
    public void close() {
        safeStream.synchronize();
        owned.close();
    }
}
