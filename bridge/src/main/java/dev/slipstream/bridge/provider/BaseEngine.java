package dev.slipstream.bridge.provider;

import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.ExecutionContext;
import dev.slipstream.bridge.TensorType;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** What all engines have in common: name, types, and the contexts that must be closed before them. */
public abstract class BaseEngine<D extends BaseDevice> extends DeviceObject<D> implements Engine {
    private final String name;
    private final Map<String, TensorType> inputs;
    private final Map<String, TensorType> outputs;

    /** @param inputs and outputs in the graph's order */
    protected BaseEngine(D device, String name, Map<String, TensorType> inputs, Map<String, TensorType> outputs) {
        super(device);
        this.name = name;
        this.inputs = Collections.unmodifiableMap(new LinkedHashMap<>(inputs));
        this.outputs = Collections.unmodifiableMap(new LinkedHashMap<>(outputs));
    }

    protected abstract BaseContext<?> makeContext();

    /** Gives back what it holds, after its contexts. */
    protected abstract void freeEngine();

    @Override
    public final String name() {
        return name;
    }

    @Override
    public final Map<String, TensorType> inputs() {
        return inputs;
    }

    @Override
    public final Map<String, TensorType> outputs() {
        return outputs;
    }

    @Override
    public final ExecutionContext newContext() {
        requireOpen();
        return device().add(makeContext());
    }

    @Override
    protected final void free() {
        device().closeLeaked(this + " of " + device().name(),
            object -> object instanceof BaseContext<?> context && context.engine() == this);
        freeEngine();
    }

    @Override
    public final String toString() {
        return "engine " + name;
    }
}
