package dev.slipstream.bridge.tensorrt;

import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.ExecutionContext.Bindings;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.cuda.EngineTarget;
import dev.slipstream.bridge.cuda.NativeGpu;
import dev.slipstream.bridge.provider.Closer;
import dev.slipstream.bridge.rival.Address;
import dev.slipstream.bridge.tensorrt.abi.Method;
import dev.slipstream.bridge.tensorrt.api.InferenceContext;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.tensorrt.nvinfer.IExecutionContext;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** An execution context of the TensorRT that does nothing, and what its calls are made with. */
@State(Scope.Thread)
public class ContextHandles {
    private static final EngineTarget TARGET = new EngineTarget("cuda:0", 0, "nothing", 9, 0);

    /** What the last call returned. */
    boolean done = true;

    private final Closer owned = new Closer();
    private NullTensorRt tensorRt;
    private long callsBefore;

    InferenceContext context;
    IExecutionContext jniContext;
    MemorySegment self;
    MemorySegment enqueue;
    MemorySegment setTensorAddress;

    Stream safeStream;
    MemorySegment stream;
    CUstream_st jniStream;
    Bindings bindings;

    String text = NullTensorRt.INPUT;
    MemorySegment name;
    BytePointer jniName;
    MemorySegment address;
    Pointer jniAddress;

    @Setup(Level.Trial)
    public void open() {
        tensorRt = new NullTensorRt();
        Device device = owned.own(NativeGpu.open("null", tensorRt));
        safeStream = owned.own(device.newStream("measured"));
        Buffer latents = owned.own(device.allocate(NullTensorRt.TYPE.bytes()));
        Engine engine = owned.own(device.build(EngineSource.of("nothing", new byte[0])));
        bindings = owned.own(engine.newContext()).bind(Map.of(NullTensorRt.INPUT,
            new Tensor(latents.slice(0, latents.bytes()), NullTensorRt.TYPE)));

        context = owned.own(tensorRt.newContext(TARGET));
        jniContext = new IExecutionContext(Address.of(context.address()));
        self = context.address().reinterpret(2 * ValueLayout.ADDRESS.byteSize())
            .getAtIndex(ValueLayout.ADDRESS, 1).reinterpret(ValueLayout.ADDRESS.byteSize());
        MemorySegment table = self.get(ValueLayout.ADDRESS, 0).reinterpret(Long.MAX_VALUE);
        enqueue = table.getAtIndex(ValueLayout.ADDRESS, Method.ENQUEUE.slot(10));
        setTensorAddress = table.getAtIndex(ValueLayout.ADDRESS, Method.SET_TENSOR_ADDRESS.slot(10));

        stream = Arena.global().allocate(64); // nobody looks at it
        jniStream = new CUstream_st(Address.of(stream));
        name = Arena.global().allocateFrom(text);
        jniName = new BytePointer(Address.of(name));
        address = Arena.global().allocate(256);
        jniAddress = Address.of(address);
    }

    @Setup(Level.Iteration)
    public void count() {
        callsBefore = tensorRt.calls();
    }

    /** Calls that do not arrive would be fast. */
    @TearDown(Level.Iteration)
    public void check() {
        if (!done || tensorRt.calls() == callsBefore) {
            throw new IllegalStateException("the calls failed or went elsewhere");
        }
    }

    @TearDown(Level.Trial)
    public void close() {
        owned.close();
    }
}
