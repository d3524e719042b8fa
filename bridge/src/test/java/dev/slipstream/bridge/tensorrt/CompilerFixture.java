package dev.slipstream.bridge.tensorrt;

import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.cuda.CompiledEngine;
import dev.slipstream.bridge.cuda.DeviceTensor;
import dev.slipstream.bridge.cuda.EngineBytes;
import dev.slipstream.bridge.cuda.EngineTarget;
import dev.slipstream.bridge.tensorrt.abi.FakeTensorRt;
import dev.slipstream.bridge.tensorrt.api.InferenceRuntime;
import dev.slipstream.bridge.tensorrt.api.ProgressMonitor;
import dev.slipstream.bridge.tensorrt.api.TensorRt;
import dev.slipstream.bridge.tensorrt.library.TensorRtLibrary;
import java.util.function.Function;

/** A compiler over the fake. Closing it checks that nothing is left. */
final class CompilerFixture implements AutoCloseable {
    static final EngineTarget TARGET = new EngineTarget("cuda:1", 1, "NVIDIA H200", 9, 0);

    final FakeTensorRt fake;
    final TensorRt tensorRt;

    CompilerFixture(int major) {
        fake = new FakeTensorRt(major);
        tensorRt = open(fake);
    }

    /** TensorRT as the code under test sees it, with a log of its own. */
    static TensorRt open(FakeTensorRt fake) {
        return TensorRt.over(fake.lookup(), fake.arena());
    }

    TensorRtCompiler compiler(EngineBytes engines) {
        return compiler(engines, BuildOptions.DEFAULT, TensorRtCompiler::logged);
    }

    TensorRtCompiler compiler(EngineBytes engines, BuildOptions options,
            Function<EngineSource, ProgressMonitor.Listener> progress) {
        return new TensorRtCompiler(() -> new TensorRtLibrary.Available(tensorRt, "fake"), engines, options, progress);
    }

    CompiledEngine compile(byte[] onnx) {
        return compiler(EngineBytes.UNCACHED).compile(TARGET, EngineSource.of("unet/up", onnx));
    }

    InferenceRuntime runtime() {
        return tensorRt.createRuntime(new InferenceRuntime.CudaReady(TARGET.device()));
    }

    static DeviceTensor at(long address, TensorType type) {
        return new DeviceTensor(address, type);
    }

    /** @throws AssertionError if an object was not freed, or the fake was used wrongly */
    @Override
    public void close() {
        if (tensorRt.liveObjects() != 0 || fake.owned() != 0) {
            throw new AssertionError(tensorRt.liveObjects() + " and " + fake.owned() + " objects are left");
        }
        fake.close();
    }
}
