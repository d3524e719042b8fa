package dev.slipstream.bridge;

import dev.slipstream.bridge.ExecutionContext.Bindings;
import java.util.HashMap;
import java.util.Map;

/** An engine of a device whose calls may fail. */
final class FaultyEngine implements Engine {
    private final Engine real;
    private final FaultyDevice device;

    FaultyEngine(Engine real, FaultyDevice device) {
        this.real = real;
        this.device = device;
    }

    @Override
    public String name() {
        return real.name();
    }

    @Override
    public Device device() {
        return device;
    }

    @Override
    public Map<String, TensorType> inputs() {
        return real.inputs();
    }

    @Override
    public Map<String, TensorType> outputs() {
        return real.outputs();
    }

    @Override
    public ExecutionContext newContext() {
        device.faults().next(Faults.Call.NEW_CONTEXT, device.name());
        return new Context(real.newContext());
    }

    @Override
    public void close() {
        real.close();
    }

    private final class Context implements ExecutionContext {
        private final ExecutionContext real;

        Context(ExecutionContext real) {
            this.real = real;
        }

        @Override
        public Engine engine() {
            return FaultyEngine.this;
        }

        @Override
        public Bindings bind(Map<String, Tensor> tensors) {
            device.faults().next(Faults.Call.BIND, device.name());
            Map<String, Tensor> unwrapped = new HashMap<>();
            tensors.forEach((name, tensor) ->
                unwrapped.put(name, new Tensor(FaultyBuffer.unwrap(tensor.slice()), tensor.type())));
            return new FaultyBindings(real.bind(unwrapped), this);
        }

        @Override
        public void close() {
            real.close();
        }
    }

    /** Bindings of a context whose calls may fail. */
    record FaultyBindings(Bindings real, ExecutionContext context) implements Bindings {
    }
}
