package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.EngineBuildException;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.cpu.CpuProvider;
import dev.slipstream.bridge.cuda.driver.HostFunctions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Engines for the stand-in driver, whose device memory is host memory: a run is a host function in the stream, which
 * lets the CPU provider do the work. So results equal the CPU provider's.
 */
public final class HostEngines implements EngineCompiler, AutoCloseable {
    private final Device host = new CpuProvider().open(DeviceSpec.parse("cpu:1"));
    private final Map<Long, Runnable> runs = new ConcurrentHashMap<>();
    private final Set<String> refused = ConcurrentHashMap.newKeySet();
    private final AtomicLong numbers = new AtomicLong();
    private final MemorySegment function = HostFunctions.stub(number -> runs.get(number).run(), Arena.global());

    /** From now on engines of this name refuse to be queued, as TensorRT does where something is wrong. */
    public void refuse(String engine) {
        refused.add(engine);
    }

    boolean refuses(String engine) {
        return refused.contains(engine);
    }

    MemorySegment function() {
        return function;
    }

    /** The argument with which the function does this. */
    long register(Runnable run) {
        long number = numbers.incrementAndGet();
        runs.put(number, run);
        return number;
    }

    void forget(long number) {
        runs.remove(number);
    }

    /** Objects on the CPU that stand for engines and contexts which were not closed. */
    public int liveObjects() {
        return host.liveObjects();
    }

    @Override
    public Availability availability() {
        return new Availability.Available("engines on the host");
    }

    @Override
    public CompiledEngine compile(EngineTarget target, EngineSource source) {
        try {
            return new Compiled(host.build(source));
        } catch (EngineBuildException failure) {
            throw new EngineBuildException(failure.getMessage().replaceFirst("^[^:]+:\\d+", target.device()), failure);
        }
    }

    private final class Compiled implements CompiledEngine {
        private final Engine engine;

        Compiled(Engine engine) {
            this.engine = engine;
        }

        @Override
        public Map<String, TensorType> inputs() {
            return engine.inputs();
        }

        @Override
        public Map<String, TensorType> outputs() {
            return engine.outputs();
        }

        @Override
        public long contextBytes() {
            return 0;
        }

        /** TensorRT's. */
        @Override
        public long alignment() {
            return 256;
        }

        @Override
        public EngineContext newContext() {
            return new HostContext(HostEngines.this, host, engine);
        }

        @Override
        public void close() {
            engine.close();
        }
    }

    @Override
    public void close() {
        host.close();
    }
}
