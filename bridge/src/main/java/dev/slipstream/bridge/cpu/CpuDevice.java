package dev.slipstream.bridge.cpu;

import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceLostException;
import dev.slipstream.bridge.DeviceMemory;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.provider.DeviceObject;
import dev.slipstream.bridge.provider.OpenObjects;
import dev.slipstream.bridge.provider.Owner;

/** A share of the cores: some threads, not tied to particular cores, as the system knows better which are free. */
final class CpuDevice implements Device, Owner {
    private final String name;
    private final int threads;
    private final String description;
    private final Runnable afterClose;
    private final OpenObjects open;
    private final Workers workers = new Workers();
    private volatile DeviceLostException lost;

    /** @param afterClose called once, when the device is closed and its name is free */
    CpuDevice(String name, int threads, String description, Runnable afterClose) {
        this.name = name;
        this.threads = threads;
        this.description = description;
        this.afterClose = afterClose;
        this.open = new OpenObjects(name);
        ProcessExit.deviceOpened();
    }

    int threads() {
        return threads;
    }

    @Override
    public OpenObjects openObjects() {
        return open;
    }

    Workers workers() {
        return workers;
    }

    @Override
    public void requireUsable() {
        DeviceLostException why = lost;
        if (why != null) {
            throw new DeviceLostException(why.getMessage(), why);
        }
    }

    @Override
    public void free(DeviceObject<?> closed) {
        workers.free(closed);
    }

    private void requireOpen() {
        open.requireOpen();
        requireUsable();
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
        requireOpen();
        return open.add(CpuBuffer.allocate(this, bytes));
    }

    @Override
    public Stream newStream(String streamName) {
        requireOpen();
        return open.add(new CpuStream(this, streamName).start());
    }

    @Override
    public Event newEvent() {
        requireOpen();
        return open.add(new CpuEvent(this, false));
    }

    @Override
    public Event newTimedEvent() {
        requireOpen();
        return open.add(new CpuEvent(this, true));
    }

    @Override
    public Engine build(EngineSource source) {
        requireOpen();
        return open.add(new EngineBuilder(this, source).build());
    }

    /** ONNX Runtime has no kernels for bfloat16 on CPUs; halves it computes in float32. */
    @Override
    public boolean computesIn(DataType type) {
        return type != DataType.BFLOAT16;
    }

    @Override
    public boolean usesOnnxRuntime() {
        return true;
    }

    /** Copying takes the same cores as computing. */
    @Override
    public boolean copiesBesideComputing() {
        return false;
    }

    @Override
    public DeviceMemory memory() {
        requireOpen();
        return MachineMemory.now();
    }

    /** Queueing costs a few hundred nanoseconds here, so there is nothing to gain. */
    @Override
    public boolean replays() {
        return false;
    }

    /** The worker threads are abandoned: an engine of ONNX Runtime cannot be stopped from outside. */
    @Override
    public void giveUp(String reason) {
        synchronized (workers) {
            if (lost == null) {
                lost = new DeviceLostException(name + " was given up: " + reason);
                workers.abandon(lost);
            }
        }
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
            if (lost == null) {
                ProcessExit.deviceClosed();
            }
            afterClose.run();
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
