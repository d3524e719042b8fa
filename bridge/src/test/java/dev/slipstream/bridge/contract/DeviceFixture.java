package dev.slipstream.bridge.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.ExecutionContext;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Function;

/**
 * Two devices of one provider, and what a test makes on them; closing it closes everything in the right order and fails
 * if a device then still has objects.
 */
public final class DeviceFixture implements AutoCloseable {
    /** Holds back a stream until it is opened. */
    public interface Gate {
        void open();
    }

    private final Function<Stream, Gate> gates;
    private final BiConsumer<DeviceFixture, Stream> failures;
    private final Device device;
    private final Device other;
    private final Arena host = Arena.ofShared();
    private final List<Gate> closedGates = new ArrayList<>();
    private final List<Stream> streams = new ArrayList<>();
    private final Deque<AutoCloseable> made = new ArrayDeque<>();

    /** @param gates queues something on a stream that does not end before the gate is opened */
    public DeviceFixture(DeviceProvider provider, DeviceSpec spec, Function<Stream, Gate> gates) {
        this(provider, List.of(spec, spec), gates, DeviceFixture::queueFailingRun);
    }

    /**
     * @param specs of the two devices
     * @param failures queues work that fails on a stream
     */
    public DeviceFixture(DeviceProvider provider, List<DeviceSpec> specs, Function<Stream, Gate> gates,
            BiConsumer<DeviceFixture, Stream> failures) {
        this.gates = gates;
        this.failures = failures;
        device = provider.open(specs.getFirst());
        other = provider.open(specs.getLast());
    }

    public Device device() {
        return device;
    }

    public Device other() {
        return other;
    }

    public Stream stream() {
        return stream(device);
    }

    public Stream stream(Device on) {
        Stream stream = on.newStream("stream" + streams.size());
        streams.add(stream);
        return stream;
    }

    /** Waits for all streams that this made. */
    public void synchronizeAll() {
        streams.forEach(Stream::synchronize);
    }

    public Gate block(Stream stream) {
        Gate gate = gates.apply(stream);
        closedGates.add(gate);
        return gate;
    }

    public Event event() {
        return keep(device.newEvent());
    }

    public Buffer buffer(Device on, long bytes) {
        return keep(on.allocate(bytes));
    }

    /** A buffer that holds these values. */
    public Buffer floats(Device on, float... values) {
        Buffer buffer = buffer(on, (long) values.length * Float.BYTES);
        try (Stream loader = on.newStream("loader")) {
            loader.upload(MemorySegment.ofArray(values), buffer.all());
            loader.synchronize();
        }
        return buffer;
    }

    public Buffer floats(float... values) {
        return floats(device, values);
    }

    /** What a buffer holds now, read by a stream of its own: the work that wrote it must be done. */
    public float[] read(Buffer buffer) {
        float[] values = new float[(int) (buffer.bytes() / Float.BYTES)];
        try (Stream reader = buffer.device().newStream("reader")) {
            reader.download(buffer.all(), MemorySegment.ofArray(values));
            reader.synchronize();
        }
        return values;
    }

    /** Host memory that lives as long as the test. */
    public MemorySegment host(float... values) {
        return host.allocateFrom(ValueLayout.JAVA_FLOAT, values);
    }

    public Engine engine(EngineSource source) {
        return keep(device.build(source));
    }

    public Engine engine(String name, byte[] onnx) {
        return engine(EngineSource.of(name, onnx));
    }

    public ExecutionContext context(Engine engine) {
        return keep(engine.newContext());
    }

    public static Tensor tensor(Buffer buffer, DataType type, long... dims) {
        return new Tensor(buffer.all(), TensorType.of(type, dims));
    }

    /** Queues work that fails, and calls itself {@code bad/pick} in its message. */
    public void queueFailure(Stream stream) {
        failures.accept(this, stream);
    }

    /** Queues the run of an engine that finds its index out of range. Its name is {@code bad/pick}. */
    public void queueFailingRun(Stream stream) {
        Device on = stream.device();
        Buffer index = buffer(on, Long.BYTES);
        try (Stream loader = on.newStream("loader")) {
            loader.upload(MemorySegment.ofArray(new long[] {99}), index.all());
            loader.synchronize();
        }
        Engine engine = keep(on.build(EngineSource.of("bad/pick", TestModels.pick())));
        stream.run(context(engine).bind(Map.of(
            "x", tensor(floats(on, 1, 2, 3, 4), DataType.FLOAT32, 4),
            "index", tensor(index, DataType.INT64, 1),
            "y", tensor(buffer(on, Float.BYTES), DataType.FLOAT32, 1))));
    }

    public <T extends AutoCloseable> T keep(T object) {
        made.push(object);
        return object;
    }

    @Override
    public void close() throws Exception {
        closedGates.forEach(Gate::open);
        streams.forEach(Stream::close);
        for (AutoCloseable object : made) {
            object.close();
        }
        host.close();
        int left = device.liveObjects() + other.liveObjects();
        device.close();
        other.close();
        assertEquals(0, left, "objects that the devices still count after everything was closed");
    }
}
