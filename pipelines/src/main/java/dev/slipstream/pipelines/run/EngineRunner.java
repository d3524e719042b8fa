package dev.slipstream.pipelines.run;

import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.ExecutionContext.Bindings;
import dev.slipstream.bridge.ExecutionContext;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.provider.Closer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One engine with its buffers, called from the host: for components outside the loop, such as a text encoder or an
 * image decoder.
 *
 * <p><b>Threads:</b> any; a call waits for the one before. <b>Ownership:</b> it owns the engine and all it made on the
 * device.
 */
public final class EngineRunner implements AutoCloseable {
    private final Map<String, TensorType> outputs;
    private final Map<String, Buffer> buffers = new LinkedHashMap<>();
    private final Closer owned = new Closer();
    private final Engine engine;
    private final Stream stream;
    private final Bindings bindings;

    /**
     * Makes what the engine needs besides weights.
     *
     * @param engine is its own from here on, also if this fails
     * @param inputs the type of each input, with every dimension known
     * @param outputs likewise of each output
     */
    public EngineRunner(Device device, Engine engine, Map<String, TensorType> inputs,
        Map<String, TensorType> outputs) {
        this.outputs = new LinkedHashMap<>(outputs);
        this.engine = engine;
        try {
            owned.own(engine);
            engine.rest();
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            Map<String, TensorType> all = new LinkedHashMap<>(inputs);
            all.putAll(outputs);
            all.forEach((name, type) -> {
                Buffer buffer = owned.own(device.allocate(type.bytes()));
                buffers.put(name, buffer);
                tensors.put(name, new Tensor(buffer.all(), type));
            });
            ExecutionContext context = owned.own(engine.newContext());
            bindings = context.bind(tensors);
            stream = owned.own(device.newStream(device.name() + " " + engine.name()));
        } catch (RuntimeException | Error failure) {
            owned.closeAfter(failure);
            throw failure;
        }
    }

    /**
     * Runs the engine once and waits for it.
     *
     * @param inputs the bytes of each input
     * @param arena where the outputs are allocated
     * @return the bytes of each output
     */
    public synchronized Map<String, MemorySegment> run(Map<String, MemorySegment> inputs, Arena arena) {
        try {
            inputs.forEach((name, bytes) -> stream.upload(bytes, buffers.get(name).all()));
            stream.run(bindings);
            Map<String, MemorySegment> results = new LinkedHashMap<>();
            outputs.forEach((name, type) -> {
                MemorySegment result = arena.allocate(type.bytes(), 64);
                stream.download(buffers.get(name).all(), result);
                results.put(name, result);
            });
            stream.synchronize();
            engine.rest();
            return results;
        } catch (RuntimeException | Error failure) {
            // The caller may free its memory now, so nothing may still use it; and the next run must work.
            Watchdog.settle(stream, failure);
            throw failure;
        }
    }

    @Override
    public void close() {
        owned.close();
    }
}
