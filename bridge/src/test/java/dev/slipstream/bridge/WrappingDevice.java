package dev.slipstream.bridge;

/** A device that is like another in all that its subclass does not change. */
abstract class WrappingDevice implements Device {
    private final Device real;

    WrappingDevice(Device real) {
        this.real = real;
    }

    @Override
    public final String name() {
        return real.name();
    }

    @Override
    public final String description() {
        return real.description();
    }

    @Override
    public Buffer allocate(long bytes) {
        return real.allocate(bytes);
    }

    @Override
    public Device.HostMemory allocateHost(long bytes) {
        return real.allocateHost(bytes);
    }

    @Override
    public Stream newStream(String streamName) {
        return real.newStream(streamName);
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
    public Device.Traits traits() {
        return real.traits();
    }

    @Override
    public Device.Memory memory() {
        return real.memory();
    }

    @Override
    public final void giveUp(String reason) {
        real.giveUp(reason);
    }

    @Override
    public int liveObjects() {
        return real.liveObjects();
    }

    @Override
    public void close() {
        real.close();
    }
}
