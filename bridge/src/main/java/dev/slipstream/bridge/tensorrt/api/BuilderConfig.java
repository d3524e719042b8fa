package dev.slipstream.bridge.tensorrt.api;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.tensorrt.abi.Constant;
import dev.slipstream.bridge.tensorrt.abi.CppClass;
import dev.slipstream.bridge.tensorrt.abi.CppObject;
import dev.slipstream.bridge.tensorrt.abi.Method;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/** TensorRT's {@code IBuilderConfig}: how to build. */
public final class BuilderConfig extends NativeObject {
    private final EngineBuilder builder;
    private Optional<ProgressMonitor> monitor = Optional.empty();

    BuilderConfig(EngineBuilder builder, CppObject object) {
        super(builder.tensorRt(), object, Optional.of(builder));
        this.builder = builder;
    }

    /** Whether products of float32 may be computed in TF32, with 10 bits after the point. TensorRT does by default. */
    public void setTf32(boolean allowed) {
        object().run(allowed ? Method.SET_FLAG : Method.CLEAR_FLAG, Constant.TF32.value(major()));
    }

    /** Lets the weights of the engine be replaced later, by {@link Refitter}. */
    public void setRefittable() {
        object().run(Method.SET_FLAG, Constant.REFITTABLE.value(major()));
    }

    /** @param level 0 to 5: how long to search for fast kernels; TensorRT's default is 3 */
    public void setOptimizationLevel(int level) {
        object().run(Method.SET_OPTIMIZATION_LEVEL, level);
    }

    /** Limits the memory that kernels may use beside their tensors. TensorRT's default is all of the device. */
    public void limitWorkspace(long bytes) {
        object().run(Method.SET_MEMORY_LIMIT, Constant.WORKSPACE.value(major()), bytes);
    }

    /**
     * Adds a profile that is complete.
     *
     * @throws DeviceException if TensorRT refuses it
     */
    public void addProfile(OptimizationProfile profile) {
        long mark = tensorRt().mark();
        check(object().int32(Method.ADD_PROFILE, profile.address()) >= 0, Method.ADD_PROFILE, "", mark);
    }

    /** A timing cache with what {@link TimingCache#serialize} gave, or an empty one of no bytes. */
    public TimingCache createTimingCache(byte[] bytes) {
        long mark = tensorRt().mark();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment copy = bytes.length == 0 ? MemorySegment.NULL
                : arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
            MemorySegment address = object().pointer(Method.CREATE_TIMING_CACHE, copy, (long) bytes.length);
            return new TimingCache(builder, made(Method.CREATE_TIMING_CACHE, address, CppClass.TIMING_CACHE, mark));
        }
    }

    /**
     * Lets the build read and fill a cache.
     *
     * @throws DeviceException if it is of another GPU or version
     */
    public void setTimingCache(TimingCache cache) {
        long mark = tensorRt().mark();
        check(object().bool(Method.SET_TIMING_CACHE, cache.address(), false), Method.SET_TIMING_CACHE, "", mark);
        keep(cache);
    }

    /** Has the build report its progress. To be called once at most. */
    public void setProgress(ProgressMonitor.Listener progress) {
        if (monitor.isPresent()) {
            throw new IllegalStateException(this + " has a progress monitor already");
        }
        Arena arena = Arena.ofShared();
        ProgressMonitor made = new ProgressMonitor(progress, arena);
        tensorRt().callbacks().add(made.object());
        afterwards(() -> {
            tensorRt().callbacks().remove(made.object());
            arena.close();
        });
        object().run(Method.SET_PROGRESS_MONITOR, made.object().address());
        monitor = Optional.of(made);
    }

    /** For {@link EngineBuilder}, after a build: what to throw if it was cancelled. */
    public Optional<DeviceException> cancellation(long mark) {
        return monitor.filter(ProgressMonitor::isCancelled)
            .map(cancelled -> tensorRt().failure("the build was cancelled", mark, cancelled.failure()));
    }
}
