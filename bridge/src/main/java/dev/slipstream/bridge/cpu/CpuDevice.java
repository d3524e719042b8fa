package dev.slipstream.bridge.cpu;

import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.provider.OpenObjects;

/** A share of the cores: some threads, not tied to particular cores, as the system knows better which are free. */
final class CpuDevice implements Device {
    private final String name;
    private final CpuSelector selector;
    private final String description;
    private final Runnable afterClose;
    private final OpenObjects open;

    /** @param afterClose called once, when the device is closed and its name is free */
    CpuDevice(String name, CpuSelector selector, String description, Runnable afterClose) {
        this.name = name;
        this.selector = selector;
        this.description = description;
        this.afterClose = afterClose;
        this.open = new OpenObjects(name);
    }

    CpuSelector selector() {
        return selector;
    }

    OpenObjects openObjects() {
        return open;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String description() {
        return description;
    }

    @Override
    public Buffer allocate(long bytes) {
        open.requireOpen();
        return open.add(CpuBuffer.allocate(this, bytes));
    }

    @Override
    public Stream newStream(String streamName) {
        return open.add(new CpuStream(this, streamName).start());
    }

    @Override
    public Event newEvent() {
        return open.add(new CpuEvent(this, false));
    }

    @Override
    public Event newTimedEvent() {
        return open.add(new CpuEvent(this, true));
    }

    @Override
    public Engine build(EngineSource source) {
        open.requireOpen();
        return open.add(new EngineBuilder(this, source).build());
    }

    /** Copying takes the same cores as computing. */
    @Override
    public boolean copiesBesideComputing() {
        return false;
    }

    @Override
    public int liveObjects() {
        return open.count();
    }

    @Override
    public void close() {
        if (open.stop()) {
            // Streams first: their queued work may still use everything else.
            open.closeLeaked(name, CpuStream.class::isInstance);
            open.closeLeaked(name, object -> true);
            afterClose.run();
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
