package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.TensorType;
import java.util.Map;

/**
 * A compiler whose engines of one name are refused when they are queued, as TensorRT refuses where something is wrong:
 * a run that fails on a GPU later would lose the device.
 */
final class RefusingCompiler implements EngineCompiler {
    private final EngineCompiler compiler;
    private final String refused;

    RefusingCompiler(EngineCompiler compiler, String refused) {
        this.compiler = compiler;
        this.refused = refused;
    }

    @Override
    public Availability availability() {
        return compiler.availability();
    }

    @Override
    public CompiledEngine compile(EngineTarget target, EngineSource source) {
        CompiledEngine compiled = compiler.compile(target, source);
        return source.name().equals(refused) ? new Refusing(compiled) : compiled;
    }

    private record Refusing(CompiledEngine compiled) implements CompiledEngine {
        @Override
        public Map<String, TensorType> inputs() {
            return compiled.inputs();
        }

        @Override
        public Map<String, TensorType> outputs() {
            return compiled.outputs();
        }

        @Override
        public long contextBytes() {
            return compiled.contextBytes();
        }

        @Override
        public long alignment() {
            return compiled.alignment();
        }

        @Override
        public EngineContext newContext() {
            return new RefusingContext(compiled.newContext());
        }

        @Override
        public void close() {
            compiled.close();
        }
    }

    private record RefusingContext(EngineContext context) implements EngineContext {
        @Override
        public Launch prepare(Map<String, DeviceTensor> tensors) {
            context.prepare(tensors);
            return stream -> {
                throw new DeviceException("the test wants it so");
            };
        }

        @Override
        public void close() {
            context.close();
        }
    }
}
