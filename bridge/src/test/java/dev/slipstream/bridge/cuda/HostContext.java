package dev.slipstream.bridge.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.ExecutionContext.Bindings;
import dev.slipstream.bridge.ExecutionContext;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.provider.Closer;
import dev.slipstream.jextract.cuda.CudaDriver;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;

/** A context of {@link HostEngines}: copies the tensors to buffers of the CPU provider, runs, and copies them back. */
final class HostContext implements EngineContext {
    private final HostEngines engines;
    private final Device host;
    private final Engine engine;
    private final Closer owned = new Closer();
    private final ExecutionContext context;
    private final Stream stream;

    HostContext(HostEngines engines, Device host, Engine engine) {
        this.engines = engines;
        this.host = host;
        this.engine = engine;
        this.context = owned.own(engine.newContext());
        this.stream = owned.own(host.newStream("engine " + engine.name()));
    }

    @Override
    public Launch prepare(Map<String, DeviceTensor> tensors) {
        Map<String, Buffer> buffers = new HashMap<>();
        Map<String, Tensor> bound = new HashMap<>();
        tensors.forEach((name, tensor) -> {
            assertEquals(0, tensor.address() % 256, "the address of " + name);
            Buffer buffer = owned.own(host.allocate(tensor.type().bytes()));
            buffers.put(name, buffer);
            bound.put(name, new Tensor(buffer.all(), tensor.type()));
        });
        Bindings bindings = context.bind(bound);
        long number = engines.register(() -> run(tensors, buffers, bindings));
        owned.own(() -> engines.forget(number));
        MemorySegment argument = MemorySegment.ofAddress(number); // once, as a run allocates nothing
        return cudaStream -> {
            if (engines.refuses(engine.name())) {
                throw new DeviceException("the test wants it so");
            }
            int result = CudaDriver.cuLaunchHostFunc(cudaStream, engines.function(), argument);
            if (result != CudaDriver.CUDA_SUCCESS()) {
                throw new DeviceException("cuLaunchHostFunc gave " + result);
            }
        };
    }

    private synchronized void run(Map<String, DeviceTensor> tensors, Map<String, Buffer> buffers, Bindings bindings) {
        engine.inputs().keySet().forEach(name -> stream.upload(memory(tensors.get(name)), buffers.get(name).all()));
        stream.run(bindings);
        engine.outputs().keySet().forEach(name -> stream.download(buffers.get(name).all(), memory(tensors.get(name))));
        stream.synchronize();
    }

    private static MemorySegment memory(DeviceTensor tensor) {
        return MemorySegment.ofAddress(tensor.address()).reinterpret(tensor.type().bytes());
    }

    @Override
    public void close() {
        owned.close();
    }
}
