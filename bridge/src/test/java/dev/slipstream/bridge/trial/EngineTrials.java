package dev.slipstream.bridge.trial;

import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.CapturedGraph;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.ExecutionContext;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.contract.TestModels;
import dev.slipstream.bridge.cpu.CpuProvider;
import dev.slipstream.bridge.provider.Closer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Engines that are built, run, captured, and built again. */
final class EngineTrials {
    private static final int COUNT = 1 << 20;

    private EngineTrials() {
    }

    /**
     * Large weights in the graph and in a file: the engine computes what the CPU computes. To be run with
     * {@code MALLOC_PERTURB_} in the environment, which fills freed memory.
     */
    static void weights(Machine machine, List<String> arguments) throws IOException {
        Path folder = Files.createTempDirectory("trial-weights");
        float[] x = Machine.values(COUNT);
        byte[] onnx = TestModels.addInternalAndExternal(folder, COUNT);
        EngineSource source = new EngineSource("weights",
            EngineSource.of("weights", onnx).onnx(), Optional.of(folder), Map.of());
        float[] expected;
        try (Device cpu = new CpuProvider().open(DeviceSpec.parse("cpu:1")); Engine engine = cpu.build(source)) {
            expected = Machine.run(cpu, engine, x);
        }
        System.out.println("MALLOC_PERTURB_ is " + System.getenv("MALLOC_PERTURB_"));
        try (Device gpu = machine.open(0); Engine engine = gpu.build(source)) {
            Machine.requireEqual("weights in the graph and in a file", expected, Machine.run(gpu, engine, x), 1e-5);
        } finally {
            Files.delete(folder.resolve("external.bin"));
            Files.delete(folder);
        }
    }

    /** Direct, and as a graph; with one context, then with two on two streams. */
    static void replay(Machine machine, List<String> arguments) {
        float[] x = Machine.values(COUNT);
        TensorType type = TensorType.of(DataType.FLOAT32, COUNT);
        try (Device device = machine.open(0);
                Engine engine = device.build(EngineSource.of("replay", TestModels.affine(COUNT)))) {
            float[] direct = Machine.run(device, engine, x);
            for (int contexts = 1; contexts <= 2; contexts++) {
                try (Closer owned = new Closer()) {
                    List<Stream> streams = new ArrayList<>();
                    List<Buffer> outs = new ArrayList<>();
                    List<CapturedGraph> graphs = new ArrayList<>();
                    for (int i = 0; i < contexts; i++) {
                        Buffer in = owned.own(device.allocate(type.bytes()));
                        Buffer out = owned.own(device.allocate(type.bytes()));
                        ExecutionContext context = owned.own(engine.newContext());
                        Stream stream = owned.own(device.newStream("trial " + i));
                        var bindings = context.bind(
                            Map.of("x", new Tensor(in.all(), type), "y", new Tensor(out.all(), type)));
                        stream.upload(MemorySegment.ofArray(x), in.all());
                        stream.run(bindings);
                        stream.beginCapture();
                        stream.run(bindings);
                        graphs.add(owned.own(stream.endCapture()));
                        stream.upload(MemorySegment.ofArray(new float[COUNT]), out.all());
                        streams.add(stream);
                        outs.add(out);
                    }
                    for (int round = 0; round < 100; round++) {
                        for (int i = 0; i < contexts; i++) {
                            streams.get(i).launch(graphs.get(i));
                        }
                    }
                    for (int i = 0; i < contexts; i++) {
                        Machine.requireSame("replayed, context " + (i + 1) + " of " + contexts, direct,
                            Machine.read(streams.get(i), outs.get(i), COUNT));
                    }
                }
            }
        }
    }

    /** Open, run, close, open and run again in one process. */
    static void reopen(Machine machine, List<String> arguments) {
        float[] x = Machine.values(COUNT);
        EngineSource source = EngineSource.of("reopen", TestModels.affine(COUNT));
        float[] first = null;
        for (int time = 1; time <= 3; time++) {
            try (Device device = machine.open(0); Engine engine = device.build(source)) {
                float[] found = Machine.run(device, engine, x);
                first = first == null ? found : first;
                Machine.requireSame("opened for time " + time, first, found);
            }
        }
    }
}
