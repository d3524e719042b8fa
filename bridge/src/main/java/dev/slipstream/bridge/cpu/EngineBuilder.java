package dev.slipstream.bridge.cpu;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.slipstream.bridge.EngineBuildException;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.TensorType;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** Makes engines from graphs. */
final class EngineBuilder {
    private final CpuDevice device;
    private final EngineSource source;

    EngineBuilder(CpuDevice device, EngineSource source) {
        this.device = device;
        this.source = source;
    }

    CpuEngine build() {
        if (!source.onnx().hasRemaining()) {
            throw failed("the graph is empty (no bytes)", null);
        }
        OrtEnvironment environment = OnnxRuntime.environment();
        try (SessionOptions options = options()) {
            OrtSession session = open(environment, options);
            try {
                return describe(session);
            } catch (OrtException | RuntimeException failure) {
                session.close();
                throw failure;
            }
        } catch (OrtException failure) {
            throw failed(OnnxRuntime.reason(failure), failure);
        }
    }

    private OrtSession open(OrtEnvironment environment, SessionOptions options) throws OrtException {
        ByteBuffer onnx = source.onnx().duplicate();
        if (onnx.isDirect()) {
            return environment.createSession(onnx, options);
        }
        byte[] bytes = new byte[onnx.remaining()];
        onnx.get(bytes);
        return environment.createSession(bytes, options);
    }

    private CpuEngine describe(OrtSession session) throws OrtException {
        Map<String, TensorType> outputs = types(session.getOutputInfo());
        if (outputs.isEmpty()) {
            throw failed("the graph has no outputs", null);
        }
        return new CpuEngine(device, source.name(), session, types(session.getInputInfo()), outputs);
    }

    private Map<String, TensorType> types(Map<String, NodeInfo> infos) {
        Map<String, TensorType> types = new LinkedHashMap<>();
        infos.forEach((name, info) -> {
            if (!(info.getInfo() instanceof TensorInfo tensor)) {
                throw failed("'" + name + "' is no tensor", null);
            }
            types.put(name, TensorTypes.fromOnnx(tensor)
                .orElseThrow(() -> failed("tensor '" + name + "' has the unsupported type " + tensor.onnxType, null)));
        });
        return Collections.unmodifiableMap(types);
    }

    private SessionOptions options() throws OrtException {
        SessionOptions options = new SessionOptions();
        try {
            options.setExecutionMode(SessionOptions.ExecutionMode.SEQUENTIAL);
            options.setInterOpNumThreads(1);
            options.setIntraOpNumThreads(device.threads());
            options.setOptimizationLevel(SessionOptions.OptLevel.ALL_OPT);
            options.setMemoryPatternOptimization(true);
            options.setDeterministicCompute(true);
            // What ONNX Runtime has to say comes as an exception, which would only be printed a second time.
            options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
            // ONNX Runtime's helper threads spin for work. That is what makes two threads faster than one where two
            // cores are free (40 products of 192x192 matrices: 1.3 ms, without spinning and with one thread 2.4 ms),
            // so it stays; on busy cores it makes them slower (medians of 2 to 8 ms). But by default they spin on for
            // a while after a run, when another device wants the core (medians of 2.5 to 11 ms): so they stop with it.
            options.addConfigEntry("session.force_spinning_stop", "1");
            for (Map.Entry<String, Long> dimension : source.dimensions().entrySet()) {
                options.setSymbolicDimensionValue(dimension.getKey(), dimension.getValue());
            }
            if (source.weightFolder().isPresent()) {
                options.addConfigEntry("session.model_external_initializers_file_folder_path",
                    source.weightFolder().get().toAbsolutePath().toString());
            }
            return options;
        } catch (OrtException | RuntimeException failure) {
            options.close();
            throw failure;
        }
    }

    private EngineBuildException failed(String reason, Throwable cause) {
        return new EngineBuildException(
            device.name() + ": engine " + source.name() + " cannot be built: " + reason, cause);
    }
}
