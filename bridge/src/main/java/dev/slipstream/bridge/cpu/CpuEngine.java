package dev.slipstream.bridge.cpu;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession.RunOptions;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.EngineBuildException;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.provider.BaseContext;
import dev.slipstream.bridge.provider.BaseEngine;
import dev.slipstream.bridge.provider.Closer;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * A session of ONNX Runtime. It may run on many threads at once, so contexts share it, and maybe other engines.
 *
 * <p>On a device of several threads, those that wait for the others spin: that makes two threads a fifth faster on free
 * cores, and takes up to twice the processor time where others want the cores, and three times the time. So there are
 * two sessions, with and without, and each run takes the one that suits it. Large weights are kept, and computed with
 * for so long that spinning gains nothing: those have one session.
 */
final class CpuEngine extends BaseEngine<CpuDevice> {
    /** What a session is made for. */
    private enum Waiting { SPINNING, SLEEPING }

    private final SharedSession session;
    private final Optional<SharedSession> spinning;
    /** For runs that give back their work space; null as long as they do not. Guarded by this. */
    private RunOptions seldom;

    /** Takes over the sessions. */
    private CpuEngine(CpuDevice device, String name, SharedSession session, Optional<SharedSession> spinning,
            Map<String, TensorType> inputs, Map<String, TensorType> outputs) {
        super(device, name, inputs, outputs);
        this.session = session;
        this.spinning = spinning;
    }

    static CpuEngine build(CpuDevice device, EngineSource source) {
        if (!source.onnx().hasRemaining()) {
            throw failed(device, source, "the graph is empty (no bytes)", null);
        }
        if (device.share().cores().isEmpty()) {
            return buildHere(device, source);
        }
        // A session's own threads keep to the cores of the thread that makes it.
        try {
            return CompletableFuture.supplyAsync(() -> {
                Cores.bind(device.share().cores());
                return buildHere(device, source);
            }, Thread.ofPlatform().daemon().name(Thread.currentThread().getName())::start).join();
        } catch (CompletionException failure) {
            if (failure.getCause() instanceof DeviceException known) {
                throw known;
            }
            throw failure;
        }
    }

    private static CpuEngine buildHere(CpuDevice device, EngineSource source) {
        List<SharedSession> made = new ArrayList<>();
        try {
            CpuShare share = device.share();
            Waiting waiting = share.threads() == 1 || share.spin() == CpuShare.Spin.ON ? Waiting.SPINNING
                : Waiting.SLEEPING;
            Optional<SharedSession> kept = device.engines().open(source, share.threads() == 1,
                opening(device, waiting));
            kept.ifPresent(made::add);
            if (kept.isEmpty()) {
                made.add(alone(device, source, waiting));
                if (waiting == Waiting.SLEEPING && share.spin() == CpuShare.Spin.AUTO) {
                    made.add(alone(device, source, Waiting.SPINNING));
                }
            }
            return describe(device, source, made.getFirst(), made.stream().skip(1).findFirst());
        } catch (OrtException | RuntimeException failure) {
            for (SharedSession session : made) {
                try {
                    session.release();
                } catch (OrtException second) {
                    failure.addSuppressed(second);
                }
            }
            if (failure instanceof OrtException refused) {
                throw failed(device, source, OnnxRuntime.reason(refused), failure);
            }
            throw (RuntimeException) failure;
        }
    }

    private static KeptEngines.Opening opening(CpuDevice device, Waiting waiting) {
        OrtEnvironment environment = OnnxRuntime.environment();
        return new KeptEngines.Opening() {
            @Override
            public SessionOptions options(EngineSource form) throws OrtException {
                return CpuEngine.options(device, form, waiting);
            }

            @Override
            public OrtSession open(EngineSource form, SessionOptions options) throws OrtException {
                return CpuEngine.open(form, environment, options);
            }
        };
    }

    private static SharedSession alone(CpuDevice device, EngineSource source, Waiting waiting) throws OrtException {
        KeptEngines.Opening opening = opening(device, waiting);
        try (SessionOptions options = opening.options(source)) {
            return SharedSession.alone(opening.open(source, options));
        }
    }

    private static OrtSession open(EngineSource source, OrtEnvironment environment, SessionOptions options)
            throws OrtException {
        ByteBuffer onnx = source.onnx().duplicate();
        if (onnx.isDirect()) {
            return environment.createSession(onnx, options);
        }
        byte[] bytes = new byte[onnx.remaining()];
        onnx.get(bytes);
        return environment.createSession(bytes, options);
    }

    private static CpuEngine describe(CpuDevice device, EngineSource source, SharedSession session,
            Optional<SharedSession> spinning) throws OrtException {
        Map<String, TensorType> outputs = types(device, source, session.session().getOutputInfo());
        if (outputs.isEmpty()) {
            throw failed(device, source, "the graph has no outputs", null);
        }
        return new CpuEngine(device, source.name(), session, spinning,
            types(device, source, session.session().getInputInfo()), outputs);
    }

    private static Map<String, TensorType> types(CpuDevice device, EngineSource source,
            Map<String, NodeInfo> infos) {
        Map<String, TensorType> types = new LinkedHashMap<>();
        infos.forEach((name, info) -> {
            if (!(info.getInfo() instanceof TensorInfo tensor)) {
                throw failed(device, source, "'" + name + "' is no tensor", null);
            }
            types.put(name, TensorTypes.fromOnnx(tensor)
                .orElseThrow(() -> failed(device, source,
                "tensor '" + name + "' has the unsupported type " + tensor.onnxType, null)));
        });
        return types;
    }

    private static SessionOptions options(CpuDevice device, EngineSource source, Waiting waiting)
            throws OrtException {
        SessionOptions options = new SessionOptions();
        try {
            options.setExecutionMode(SessionOptions.ExecutionMode.SEQUENTIAL);
            options.setInterOpNumThreads(1);
            options.setIntraOpNumThreads(device.share().threads());
            options.setOptimizationLevel(SessionOptions.OptLevel.ALL_OPT);
            options.setMemoryPatternOptimization(true);
            options.setDeterministicCompute(true);
            // What ONNX Runtime has to say comes as an exception, which would only be printed a second time.
            options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
            if (waiting == Waiting.SLEEPING) {
                options.addConfigEntry("session.intra_op.allow_spinning", "0");
            } else {
                // By default they spin on for a while after a run, when another device wants the core (medians of 2.5
                // to 11 ms instead of 2 to 8 for 40 products of 192x192 matrices on busy cores).
                options.addConfigEntry("session.force_spinning_stop", "1");
            }
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

    private static EngineBuildException failed(CpuDevice device, EngineSource source, String reason,
            Throwable cause) {
        return new EngineBuildException(
            device.name() + ": engine " + source.name() + " cannot be built: " + reason, cause);
    }

    /** The session for a run now. */
    OrtSession session(Contention contention) {
        return spinning.isPresent() && contention.coresAreFree() ? spinning.get().session() : session.session();
    }

    /** How it runs; null for the usual way. */
    synchronized RunOptions runOptions() {
        return seldom;
    }

    @Override
    public synchronized void rest() {
        if (!session.mapsWeights()) {
            // It is small.
            return;
        }
        session.rest();
        if (seldom == null) {
            try {
                seldom = new RunOptions();
                seldom.addRunConfigEntry("memory.enable_memory_arena_shrinkage", "cpu:0");
            } catch (OrtException failure) {
                throw new DeviceException(device().name() + ": setting an option of " + this + " failed: "
                    + OnnxRuntime.reason(failure), failure);
            }
        }
    }

    @Override
    protected BaseContext<CpuDevice> makeContext() {
        return new CpuExecutionContext(this);
    }

    @Override
    protected void freeEngine() {
        try (Closer all = new Closer()) {
            all.own(() -> release(session));
            all.own(this::freeOptions);
            spinning.ifPresent(other -> all.own(() -> release(other)));
        }
    }

    private synchronized void freeOptions() {
        if (seldom != null) {
            seldom.close();
            seldom = null;
        }
    }

    private void release(SharedSession which) {
        try {
            which.release();
        } catch (OrtException failure) {
            throw new DeviceException(device().name() + ": closing " + this + " failed: "
                + OnnxRuntime.reason(failure), failure);
        }
    }
}
