package org.example.toy;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.EngineBuildException;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.provider.BaseBindings;
import dev.slipstream.bridge.provider.BaseContext;
import dev.slipstream.bridge.provider.BaseEngine;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** An engine of ONNX Runtime, with its contexts and bindings. */
final class ToyEngine extends BaseEngine<ToyDevice> {
    private final OrtSession session;

    private ToyEngine(ToyDevice device, String name, OrtSession session, Map<String, TensorType> inputs,
            Map<String, TensorType> outputs) {
        super(device, name, inputs, outputs);
        this.session = session;
    }

    static ToyEngine build(ToyDevice device, EngineSource source) {
        byte[] onnx = new byte[source.onnx().remaining()];
        source.onnx().duplicate().get(onnx);
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(1);
            for (Map.Entry<String, Long> dimension : source.dimensions().entrySet()) {
                options.setSymbolicDimensionValue(dimension.getKey(), dimension.getValue());
            }
            if (source.weightFolder().isPresent()) {
                options.addConfigEntry("session.model_external_initializers_file_folder_path",
                    source.weightFolder().get().toAbsolutePath().toString());
            }
            OrtSession session = OrtEnvironment.getEnvironment().createSession(onnx, options);
            try {
                return new ToyEngine(device, source.name(), session, types(session.getInputInfo()),
                    types(session.getOutputInfo()));
            } catch (OrtException | RuntimeException failure) {
                session.close();
                throw failure;
            }
        } catch (OrtException | IllegalArgumentException refused) {
            throw new EngineBuildException(device.name() + ": engine " + source.name() + " cannot be built: "
                + refused.getMessage(), refused);
        }
    }

    private static Map<String, TensorType> types(Map<String, NodeInfo> infos) {
        Map<String, TensorType> types = new LinkedHashMap<>();
        infos.forEach((name, info) -> {
            if (!(info.getInfo() instanceof TensorInfo tensor)) {
                throw new IllegalArgumentException("'" + name + "' is no tensor");
            }
            DataType type = switch (tensor.type) {
                case FLOAT -> DataType.FLOAT32;
                case FLOAT16 -> DataType.FLOAT16;
                case BFLOAT16 -> DataType.BFLOAT16;
                case INT64 -> DataType.INT64;
                case INT32 -> DataType.INT32;
                case BOOL -> DataType.BOOL;
                default -> throw new IllegalArgumentException(
                    "tensor '" + name + "' has the unsupported type " + tensor.onnxType);
            };
            types.put(name, new TensorType(type, Shape.of(tensor.getShape())));
        });
        return types;
    }

    @Override
    protected Context makeContext() {
        return new Context(this);
    }

    @Override
    protected void freeEngine() {
        try {
            session.close();
        } catch (OrtException failure) {
            throw new DeviceException(device().name() + ": closing " + this + " failed", failure);
        }
    }

    /** Runs one of its bindings at a time; the kit holds its monitor when it frees them. */
    static final class Context extends BaseContext<ToyDevice> {
        private final ToyEngine engine;

        Context(ToyEngine engine) {
            super(engine);
            this.engine = engine;
        }

        @Override
        protected Run makeBindings(Map<String, Tensor> tensors) {
            return new Run(this, tensors);
        }

        @Override
        protected void freeContext() {
            // The session is the engine's.
        }
    }

    /** Tensors of ONNX Runtime on the memory of buffers. */
    static final class Run extends BaseBindings {
        private final Context context;
        private final Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
        private final Map<String, OnnxTensor> outputs = new LinkedHashMap<>();

        Run(Context context, Map<String, Tensor> tensors) {
            super(context, tensors.values());
            this.context = context;
            try {
                for (Map.Entry<String, Tensor> each : tensors.entrySet()) {
                    boolean input = context.engine().inputs().containsKey(each.getKey());
                    (input ? inputs : outputs).put(each.getKey(), view(each.getValue()));
                }
            } catch (OrtException refused) {
                free();
                throw new DeviceException(context.device().name() + ": binding tensors of "
                    + context.engine().name() + " failed: " + refused.getMessage(), refused);
            }
        }

        private static OnnxTensor view(Tensor tensor) throws OrtException {
            OnnxJavaType type = switch (tensor.type().type()) {
                case FLOAT32 -> OnnxJavaType.FLOAT;
                case FLOAT16 -> OnnxJavaType.FLOAT16;
                case BFLOAT16 -> OnnxJavaType.BFLOAT16;
                case INT64 -> OnnxJavaType.INT64;
                case INT32 -> OnnxJavaType.INT32;
                case BOOL -> OnnxJavaType.BOOL;
            };
            return OnnxTensor.createTensor(OrtEnvironment.getEnvironment(),
                ToyDevice.Buffer.memory(tensor.slice()).asByteBuffer().order(ByteOrder.nativeOrder()),
                tensor.type().shape().toArray(), type);
        }

        void run() throws OrtException {
            synchronized (context) {
                context.requireOpen();
                context.engine.session.run(inputs, Set.of(), outputs).close();
            }
        }

        @Override
        protected void free() {
            inputs.values().forEach(OnnxTensor::close);
            outputs.values().forEach(OnnxTensor::close);
        }
    }
}
