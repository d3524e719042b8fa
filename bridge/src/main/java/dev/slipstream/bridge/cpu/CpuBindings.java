package dev.slipstream.bridge.cpu;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.provider.BaseBindings;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** ONNX Runtime's views of buffers, made once and used in every run. The memory stays while a view is open. */
final class CpuBindings extends BaseBindings {
    private final CpuExecutionContext context;
    private final Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
    private final Map<String, OnnxTensor> outputs = new LinkedHashMap<>();
    private final List<CpuBuffer> kept = new ArrayList<>();

    /** @param tensors checked already */
    CpuBindings(CpuExecutionContext context, CpuEngine engine, Map<String, Tensor> tensors) {
        super(context, tensors.values());
        this.context = context;
        try {
            for (String name : engine.inputs().keySet()) {
                inputs.put(name, view(tensors.get(name)));
            }
            for (String name : engine.outputs().keySet()) {
                outputs.put(name, view(tensors.get(name)));
            }
        } catch (OrtException failure) {
            free();
            throw new DeviceException(context.device().name() + ": binding tensors of " + engine.name()
                + " failed: " + OnnxRuntime.reason(failure), failure);
        } catch (RuntimeException failure) {
            free();
            throw failure;
        }
    }

    private OnnxTensor view(Tensor tensor) throws OrtException {
        CpuBuffer buffer = (CpuBuffer) tensor.slice().buffer();
        buffer.retain();
        kept.add(buffer);
        MemorySegment segment = buffer.segment().asSlice(tensor.slice().offset(), tensor.slice().bytes());
        // ONNX Runtime uses a direct buffer in native order where it lies; any other it would copy.
        ByteBuffer bytes = segment.asByteBuffer().order(ByteOrder.nativeOrder());
        return OnnxTensor.createTensor(OnnxRuntime.environment(), bytes, tensor.type().shape().toArray(),
            TensorTypes.toOnnx(tensor.type().type()));
    }

    /** Runs the engine on the calling thread; returns when the outputs are written. */
    void run() throws OrtException {
        context.run(this);
    }

    void run(OrtSession session, OrtSession.RunOptions options) throws OrtException {
        // The result owns none of the outputs, as all are ours.
        session.run(inputs, Set.of(), outputs, options).close();
    }

    @Override
    protected void free() {
        inputs.values().forEach(OnnxTensor::close);
        outputs.values().forEach(OnnxTensor::close);
        kept.forEach(CpuBuffer::release);
    }
}
