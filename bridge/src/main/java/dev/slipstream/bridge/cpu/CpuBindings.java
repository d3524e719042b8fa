package dev.slipstream.bridge.cpu;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.slipstream.bridge.Bindings;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.Tensor;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** ONNX Runtime's views of buffers, made once and used in every run. */
final class CpuBindings implements Bindings {
    private final CpuExecutionContext context;
    private final Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
    private final Map<String, OnnxTensor> outputs = new LinkedHashMap<>();
    private final List<CpuBuffer> buffers = new ArrayList<>();

    private CpuBindings(CpuExecutionContext context) {
        this.context = context;
    }

    /** @param tensors checked already */
    static CpuBindings make(CpuExecutionContext context, Map<String, Tensor> tensors) {
        CpuBindings bindings = new CpuBindings(context);
        try {
            for (String name : context.engine().inputs().keySet()) {
                bindings.inputs.put(name, bindings.view(tensors.get(name)));
            }
            for (String name : context.engine().outputs().keySet()) {
                bindings.outputs.put(name, bindings.view(tensors.get(name)));
            }
            return bindings;
        } catch (OrtException failure) {
            bindings.free();
            throw new DeviceException(context.device().name() + ": binding tensors of " + context.engine().name()
                + " failed: " + OnnxRuntime.reason(failure), failure);
        } catch (RuntimeException failure) {
            bindings.free();
            throw failure;
        }
    }

    private OnnxTensor view(Tensor tensor) throws OrtException {
        CpuBuffer buffer = CpuBuffer.of(tensor.slice());
        buffer.retain();
        buffers.add(buffer);
        MemorySegment segment = buffer.segment().asSlice(tensor.slice().offset(), tensor.slice().bytes());
        // ONNX Runtime uses a direct buffer in native order where it lies; any other it would copy.
        ByteBuffer bytes = segment.asByteBuffer().order(ByteOrder.nativeOrder());
        return OnnxTensor.createTensor(OnnxRuntime.environment(), bytes, tensor.type().shape().toArray(),
            TensorTypes.toOnnx(tensor.type().type()));
    }

    @Override
    public CpuExecutionContext context() {
        return context;
    }

    void requireOpen() {
        context.requireOpen();
        for (int i = 0; i < buffers.size(); i++) { // no iterator, which would be an allocation
            buffers.get(i).requireOpen();
        }
    }

    /** Runs the engine on the calling thread; returns when the outputs are written. */
    void run() throws OrtException {
        context.run(this);
    }

    void runSession(OrtSession session) throws OrtException {
        // The result owns none of the outputs, as all are ours.
        session.run(inputs, Set.of(), outputs).close();
    }

    void free() {
        inputs.values().forEach(OnnxTensor::close);
        outputs.values().forEach(OnnxTensor::close);
        buffers.forEach(CpuBuffer::release);
    }
}
