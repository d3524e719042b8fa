package dev.slipstream.bridge;

/** A device whose calls may fail. */
final class FaultyDevice extends WrappingDevice {
    private final Faults faults;

    FaultyDevice(Device real, Faults faults) {
        super(real);
        this.faults = faults;
    }

    Faults faults() {
        return faults;
    }

    @Override
    public Buffer allocate(long bytes) {
        faults.next(Faults.Call.ALLOCATE, name());
        return new FaultyBuffer(super.allocate(bytes), this);
    }

    @Override
    public Device.HostMemory allocateHost(long bytes) {
        faults.next(Faults.Call.ALLOCATE, name());
        return super.allocateHost(bytes);
    }

    @Override
    public Stream newStream(String streamName) {
        faults.next(Faults.Call.NEW_STREAM, name());
        return new FaultyStream(super.newStream(streamName), this);
    }

    @Override
    public Event newEvent() {
        faults.next(Faults.Call.NEW_EVENT, name());
        return new FaultyEvent(super.newEvent(), this);
    }

    @Override
    public Event newTimedEvent() {
        faults.next(Faults.Call.NEW_EVENT, name());
        return new FaultyEvent(super.newTimedEvent(), this);
    }

    @Override
    public Engine build(EngineSource source) {
        faults.next(Faults.Call.BUILD, name());
        return new FaultyEngine(super.build(source), this);
    }

    @Override
    public Device.Memory memory() {
        Device.Memory memory = super.memory();
        return faults.memory().orElse(memory);
    }
}
