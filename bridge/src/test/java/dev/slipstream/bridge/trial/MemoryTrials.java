package dev.slipstream.bridge.trial;

import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.CapturedGraph;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.contract.TestModels;
import dev.slipstream.bridge.cuda.CudaProvider;
import dev.slipstream.bridge.provider.Closer;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Memory of a GPU, and copies between two. */
final class MemoryTrials {
    private static final int PIECES = 16;

    private MemoryTrials() {
    }

    /** Nearly all memory is given to buffers and freed; then an engine is built and makes a context. */
    static void memory(Machine machine, List<String> arguments) {
        try (Device device = machine.open(0)) {
            long before = device.memory().freeBytes();
            System.out.println("free at first: " + (before >> 20) + " MiB");
            List<Buffer> buffers = new ArrayList<>();
            for (int i = 0; i < PIECES; i++) {
                buffers.add(device.allocate(before / 10 * 9 / PIECES));
            }
            System.out.println("free beside buffers: " + (device.memory().freeBytes() >> 20) + " MiB");
            buffers.forEach(Buffer::close);
            float[] x = Machine.values(1 << 20);
            try (Engine engine = device.build(EngineSource.of("memory", TestModels.affine(x.length)))) {
                Machine.run(device, engine, x);
            }
            long after = device.memory().freeBytes();
            System.out.println("free when all is closed: " + (after >> 20) + " MiB");
            if (after < before / 2) {
                throw new AssertionError("of " + before + " bytes that were free, " + after + " are free again");
            }
        }
    }

    /**
     * A graph with a copy from one GPU to the other and back. Both answers are good ones; the second is why such
     * copies stay outside of graphs unless a system property lets them in.
     */
    static void peers(Machine machine, List<String> arguments) {
        if (machine.provider().list().size() < 2) {
            throw new NothingHereException("needs two GPUs, and there is one here");
        }
        if (!Boolean.getBoolean(CudaProvider.CAPTURE_PEER_COPIES)) {
            throw new NothingHereException("needs -D" + CudaProvider.CAPTURE_PEER_COPIES + "=true");
        }
        try (Closer owned = new Closer()) {
            Device first = owned.own(machine.open(0));
            Device second = owned.own(machine.open(1));
            captured(first, second);
        }
    }

    /** Whether the driver took the graph; then it gave the right values. */
    static boolean captured(Device first, Device second) {
        try (Closer owned = new Closer()) {
            Stream stream = owned.own(first.newStream("peers"));
            Buffer here = owned.own(first.allocate(Float.BYTES));
            Buffer there = owned.own(second.allocate(Float.BYTES));
            stream.upload(MemorySegment.ofArray(new float[] {42}), here.all());
            stream.beginCapture();
            stream.copy(here.all(), there.all());
            stream.combine(new Combination(here.all(), List.of(here.all()), List.of(2f)));
            stream.copy(there.all(), here.all());
            CapturedGraph graph;
            try {
                graph = owned.own(stream.endCapture());
            } catch (DeviceException refused) {
                System.out.println("a copy between GPUs cannot be captured: " + refused.getMessage());
                Machine.requireSame("the stream afterwards", new float[] {42}, Machine.read(stream, here, 1));
                return false;
            }
            for (int round = 0; round < 100; round++) {
                stream.launch(graph);
            }
            Machine.requireSame("copies between GPUs, captured", new float[] {42}, Machine.read(stream, here, 1));
            System.out.println("a copy between GPUs can be captured: -D" + CudaProvider.CAPTURE_PEER_COPIES + "=true");
            return true;
        }
    }
}
