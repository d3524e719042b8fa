package dev.slipstream.bridge.cpu;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.ExecutionContext;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.provider.DeviceObject;
import java.util.Map;

/** A session of ONNX Runtime. It may run on many threads at once, so contexts share it. */
final class CpuEngine extends DeviceObject<CpuDevice> implements Engine {
    private final String name;
    private final OrtSession session;
    private final Map<String, TensorType> inputs;
    private final Map<String, TensorType> outputs;

    /** Takes over the session. */
    CpuEngine(CpuDevice device, String name, OrtSession session,
            Map<String, TensorType> inputs, Map<String, TensorType> outputs) {
        super(device);
        this.name = name;
        this.session = session;
        this.inputs = inputs;
        this.outputs = outputs;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Map<String, TensorType> inputs() {
        return inputs;
    }

    @Override
    public Map<String, TensorType> outputs() {
        return outputs;
    }

    OrtSession session() {
        return session;
    }

    @Override
    public ExecutionContext newContext() {
        requireOpen();
        return device().openObjects().add(new CpuExecutionContext(this));
    }

    @Override
    public void free() {
        device().openObjects().closeLeaked(this + " of " + device().name(),
            object -> object instanceof CpuExecutionContext context && context.engine() == this);
        try {
            session.close();
        } catch (OrtException failure) {
            throw new DeviceException(device().name() + ": closing " + this + " failed: "
                + OnnxRuntime.reason(failure), failure);
        }
    }

    @Override
    public String toString() {
        return "engine " + name;
    }
}
