package dev.slipstream.bridge;

import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.Arithmetic.GuidanceRescale;
import dev.slipstream.bridge.Arithmetic.Limiting;
import dev.slipstream.bridge.Arithmetic.RelativeChange;
import dev.slipstream.bridge.ExecutionContext.Bindings;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** A stream that notes calls while it captures, and makes them again when the graph is launched. */
final class CapturingStream implements Stream {
    private final Stream real;
    private final CapturingDevice device;
    private List<Consumer<Stream>> noted;

    CapturingStream(Stream real, CapturingDevice device) {
        this.real = real;
        this.device = device;
    }

    /** The real device's, as what its streams work on is real. */
    @Override
    public Device device() {
        return real.device();
    }

    @Override
    public void run(Bindings bindings) {
        work(on -> on.run(bindings));
    }

    @Override
    public void copy(Slice from, Slice to) {
        work(on -> on.copy(from, to));
    }

    @Override
    public void combine(Combination combination) {
        work(on -> on.combine(combination));
    }

    @Override
    public void rescale(GuidanceRescale rescale) {
        work(on -> on.rescale(rescale));
    }

    @Override
    public void compare(RelativeChange change) {
        work(on -> on.compare(change));
    }

    @Override
    public void limit(Limiting limiting) {
        work(on -> on.limit(limiting));
    }

    @Override
    public void checkFinite(Tensor tensor, Slice mark, int label) {
        work(on -> on.checkFinite(tensor, mark, label));
    }

    private void work(Consumer<Stream> call) {
        if (noted == null) {
            call.accept(real);
        } else {
            noted.add(call);
        }
    }

    @Override
    public void beginCapture() {
        requireNotCapturing();
        device.memory(); // which a lost device refuses
        noted = new ArrayList<>();
    }

    @Override
    public CapturedGraph endCapture() {
        if (noted == null) {
            throw new IllegalStateException("a stream of " + device.name() + " does not capture");
        }
        List<Consumer<Stream>> all = List.copyOf(noted);
        noted = null;
        device.memory();
        return new Noted(device, all);
    }

    @Override
    public void launch(CapturedGraph graph) {
        requireNotCapturing();
        if (!(graph instanceof Noted calls) || calls.device != device) {
            throw new IllegalArgumentException("a graph of " + graph.device().name() + " cannot be launched on "
                + device.name());
        }
        calls.launch(real);
    }

    @Override
    public void upload(MemorySegment from, Slice to) {
        requireNotCapturing();
        real.upload(from, to);
    }

    @Override
    public void download(Slice from, MemorySegment to) {
        requireNotCapturing();
        real.download(from, to);
    }

    @Override
    public void record(Event event) {
        requireNotCapturing();
        real.record(event);
    }

    @Override
    public void await(Event event) {
        requireNotCapturing();
        real.await(event);
    }

    @Override
    public void synchronize() {
        requireNotCapturing();
        real.synchronize();
    }

    private void requireNotCapturing() {
        if (noted != null) {
            throw new IllegalStateException("a stream of " + device.name() + " captures, and not this");
        }
    }

    @Override
    public void close() {
        noted = null;
        real.close();
    }

    /** Calls to make again. */
    private static final class Noted implements CapturedGraph {
        private final CapturingDevice device;
        private final List<Consumer<Stream>> calls;
        private boolean closed;

        Noted(CapturingDevice device, List<Consumer<Stream>> calls) {
            this.device = device;
            this.calls = calls;
            device.graphs().incrementAndGet();
        }

        void launch(Stream on) {
            if (closed) {
                throw new IllegalStateException("a graph of " + device.name() + " is closed");
            }
            calls.forEach(call -> call.accept(on));
        }

        @Override
        public Device device() {
            return device;
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                device.graphs().updateAndGet(count -> Math.max(0, count - 1));
            }
        }
    }
}
