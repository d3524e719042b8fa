package dev.slipstream.bridge;

/** A device whose calls may fail. */
final class FaultyDevice implements Device {
    private final Device real;
    private final Faults faults;

    FaultyDevice(Device real, Faults faults) {
        this.real = real;
        this.faults = faults;
    }

    Faults faults() {
        return faults;
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
        faults.next(Faults.Call.ALLOCATE, name());
        return new FaultyBuffer(real.allocate(bytes), this);
    }

    @Override
    public Stream newStream(String streamName) {
        faults.next(Faults.Call.NEW_STREAM, name());
        return new FaultyStream(real.newStream(streamName), this);
    }

    @Override
    public Event newEvent() {
        faults.next(Faults.Call.NEW_EVENT, name());
        return new FaultyEvent(real.newEvent(), this);
    }

    @Override
    public Event newTimedEvent() {
        faults.next(Faults.Call.NEW_EVENT, name());
        return new FaultyEvent(real.newTimedEvent(), this);
    }

    @Override
    public Engine build(EngineSource source) {
        faults.next(Faults.Call.BUILD, name());
        return new FaultyEngine(real.build(source), this);
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
        DeviceMemory memory = real.memory();
        return faults.memory().orElse(memory);
    }

    @Override
    public boolean replays() {
        return real.replays();
    }

    @Override
    public boolean recordsCopiesWith(Device other) {
        return real.recordsCopiesWith(((FaultyDevice) other).real);
    }

    @Override
    public void giveUp(String reason) {
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
