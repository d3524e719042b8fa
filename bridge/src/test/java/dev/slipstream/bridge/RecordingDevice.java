package dev.slipstream.bridge;

import java.util.concurrent.atomic.AtomicInteger;

/** A device whose streams record. All else is that of the real device. */
final class RecordingDevice implements Device {
    private final Device real;
    private final AtomicInteger recordings = new AtomicInteger();

    RecordingDevice(Device real) {
        this.real = real;
    }

    /** Its recordings that are open. */
    AtomicInteger recordings() {
        return recordings;
    }

    @Override
    public String name() {
        return real.name();
    }

    @Override
    public String description() {
        return real.description();
    }

    @Override
    public Buffer allocate(long bytes) {
        return real.allocate(bytes);
    }

    @Override
    public Stream newStream(String streamName) {
        return new RecordingStream(real.newStream(streamName), this);
    }

    @Override
    public Event newEvent() {
        return real.newEvent();
    }

    @Override
    public Event newTimedEvent() {
        return real.newTimedEvent();
    }

    @Override
    public Engine build(EngineSource source) {
        return real.build(source);
    }

    @Override
    public boolean computesIn(DataType type) {
        return real.computesIn(type);
    }

    @Override
    public boolean usesOnnxRuntime() {
        return real.usesOnnxRuntime();
    }

    @Override
    public boolean copiesBesideComputing() {
        return real.copiesBesideComputing();
    }

    @Override
    public DeviceMemory memory() {
        return real.memory();
    }

    @Override
    public boolean replays() {
        return true;
    }

    @Override
    public boolean recordsCopiesWith(Device other) {
        return true;
    }

    @Override
    public void giveUp(String reason) {
        real.giveUp(reason);
    }

    @Override
    public int liveObjects() {
        return real.liveObjects() + recordings.get();
    }

    @Override
    public void close() {
        recordings.set(0);
        real.close();
    }
}
