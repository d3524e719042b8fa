package dev.slipstream.bridge.tensorrt.api;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.tensorrt.abi.Constant;
import dev.slipstream.bridge.tensorrt.abi.CppClass;
import dev.slipstream.bridge.tensorrt.abi.CppObject;
import dev.slipstream.bridge.tensorrt.abi.Method;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** TensorRT's {@code IBuilder}: makes what a build needs, and builds. */
public final class EngineBuilder extends NativeObject {
    private static final Logger LOGGER = LoggerFactory.getLogger(EngineBuilder.class);

    EngineBuilder(InferenceRuntime runtime, CppObject object) {
        super(runtime.tensorRt(), object, Optional.of(runtime));
    }

    /** An empty network, in which each tensor keeps the type that the graph gives it. */
    public NetworkDefinition createNetwork() {
        long mark = tensorRt().mark();
        int flags = 1 << Constant.STRONGLY_TYPED.value(major());
        MemorySegment address = object().pointer(Method.CREATE_NETWORK, flags);
        return new NetworkDefinition(this, made(Method.CREATE_NETWORK, address, CppClass.NETWORK, mark));
    }

    public BuilderConfig createConfig() {
        long mark = tensorRt().mark();
        MemorySegment address = object().pointer(Method.CREATE_CONFIG);
        return new BuilderConfig(this, made(Method.CREATE_CONFIG, address, CppClass.CONFIG, mark));
    }

    /** A profile, which the builder owns. */
    public OptimizationProfile createProfile() {
        long mark = tensorRt().mark();
        MemorySegment address = object().pointer(Method.CREATE_PROFILE);
        return new OptimizationProfile(this, made(Method.CREATE_PROFILE, address, CppClass.PROFILE, mark));
    }

    /**
     * Builds. May take minutes; measures on the current device.
     *
     * @throws DeviceException if it cannot be built, or a {@link ProgressMonitor.Listener} ended it
     */
    public HostMemory build(NetworkDefinition network, BuilderConfig config) {
        long mark = tensorRt().mark();
        MemorySegment address = object().pointer(Method.BUILD_ENGINE, network.address(), config.address());
        Optional<DeviceException> cancelled = config.cancellation(mark);
        if (cancelled.isPresent()) {
            discard(address);
            throw cancelled.get();
        }
        return new HostMemory(this, made(Method.BUILD_ENGINE, address, CppClass.HOST_MEMORY, mark));
    }

    /** Frees what a build gave that was cancelled too late to stop it. */
    private void discard(MemorySegment address) {
        LOGGER.debug("a cancelled build gave {}", CppObject.isNothing(address) ? "nothing" : "an engine all the same");
        if (!CppObject.isNothing(address)) {
            new HostMemory(this, CppObject.at(address, CppClass.HOST_MEMORY, major())).close();
        }
    }
}
