package dev.slipstream.bridge.tensorrt;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceOutOfMemoryException;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.cuda.CompiledEngine;
import dev.slipstream.bridge.cuda.EngineContext;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An engine of TensorRT's as the CUDA provider sees it. */
final class TensorRtEngine implements CompiledEngine {
    private static final long ALIGNMENT = 256;

    private final String name;
    private final InferenceEngine engine;
    private final List<EngineTensor> tensors;
    private final Map<String, TensorType> inputs;
    private final Map<String, TensorType> outputs;

    /** Takes over the engine, if this does not throw. */
    TensorRtEngine(String device, String source, InferenceEngine engine) {
        this.name = device + ": engine " + source;
        this.engine = engine;
        this.tensors = engine.tensors();
        this.inputs = types(true);
        this.outputs = types(false);
    }

    @Override
    public Map<String, TensorType> inputs() {
        return inputs;
    }

    @Override
    public Map<String, TensorType> outputs() {
        return outputs;
    }

    @Override
    public long contextBytes() {
        return engine.contextBytes();
    }

    /** As NVIDIA's documentation of {@code IExecutionContext::setTensorAddress} asks for. */
    @Override
    public long alignment() {
        return ALIGNMENT;
    }

    @Override
    public EngineContext newContext() {
        try {
            return new TensorRtContext(name, tensors, engine.createContext());
        } catch (DeviceOutOfMemoryException full) {
            throw new DeviceOutOfMemoryException(name + " has no room for a context: " + full.getMessage(), full);
        } catch (DeviceException failure) {
            throw new DeviceException(name + " makes no context: " + failure.getMessage(), failure);
        }
    }

    @Override
    public void close() {
        engine.close();
    }

    private Map<String, TensorType> types(boolean input) {
        Map<String, TensorType> types = new LinkedHashMap<>();
        tensors.stream().filter(tensor -> tensor.input() == input)
            .forEach(tensor -> types.put(tensor.name(), type(tensor)));
        return Collections.unmodifiableMap(types);
    }

    private TensorType type(EngineTensor tensor) {
        if (!tensor.onDevice()) {
            throw new TensorRtException("TensorRT wants tensor '" + tensor.name()
                + "' on the host, as its values decide shapes; make it a constant of the graph", null);
        }
        DataType type = DataTypes.of(tensor.type(), engine.major()).orElseThrow(() -> new TensorRtException(
            "tensor '" + tensor.name() + "' has TensorRT's element type " + tensor.type() + ", which is unsupported",
            null));
        return new TensorType(type, tensor.shape());
    }
}
