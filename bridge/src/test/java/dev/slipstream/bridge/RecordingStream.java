package dev.slipstream.bridge;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** A stream that notes calls while it records, and makes them again when it replays. */
final class RecordingStream implements Stream {
    private final Stream real;
    private final RecordingDevice device;
    private List<Consumer<Stream>> noted;

    RecordingStream(Stream real, RecordingDevice device) {
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
    public void limit(Limiting limiting) {
        work(on -> on.limit(limiting));
    }

    @Override
    public void guard(Tensor tensor, Slice mark, int label) {
        work(on -> on.guard(tensor, mark, label));
    }

    private void work(Consumer<Stream> call) {
        if (noted == null) {
            call.accept(real);
        } else {
            noted.add(call);
        }
    }

    @Override
    public void beginRecording() {
        requireNotRecording();
        device.memory(); // which a lost device refuses
        noted = new ArrayList<>();
    }

    @Override
    public Recording endRecording() {
        if (noted == null) {
            throw new IllegalStateException("a stream of " + device.name() + " does not record");
        }
        List<Consumer<Stream>> all = List.copyOf(noted);
        noted = null;
        device.memory();
        return new Noted(device, all);
    }

    @Override
    public void replay(Recording recording) {
        requireNotRecording();
        if (!(recording instanceof Noted calls) || calls.device != device) {
            throw new IllegalArgumentException("a recording of " + recording.device().name() + " cannot be replayed on "
                + device.name());
        }
        calls.replay(real);
    }

    @Override
    public void upload(MemorySegment from, Slice to) {
        requireNotRecording();
        real.upload(from, to);
    }

    @Override
    public void download(Slice from, MemorySegment to) {
        requireNotRecording();
        real.download(from, to);
    }

    @Override
    public void record(Event event) {
        requireNotRecording();
        real.record(event);
    }

    @Override
    public void await(Event event) {
        requireNotRecording();
        real.await(event);
    }

    @Override
    public void synchronize() {
        requireNotRecording();
        real.synchronize();
    }

    private void requireNotRecording() {
        if (noted != null) {
            throw new IllegalStateException("a stream of " + device.name() + " records, and this cannot be recorded");
        }
    }

    @Override
    public void close() {
        noted = null;
        real.close();
    }

    /** Calls to make again. */
    private static final class Noted implements Recording {
        private final RecordingDevice device;
        private final List<Consumer<Stream>> calls;
        private boolean closed;

        Noted(RecordingDevice device, List<Consumer<Stream>> calls) {
            this.device = device;
            this.calls = calls;
            device.recordings().incrementAndGet();
        }

        void replay(Stream on) {
            if (closed) {
                throw new IllegalStateException("a recording of " + device.name() + " is closed");
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
                device.recordings().updateAndGet(count -> Math.max(0, count - 1));
            }
        }
    }
}
