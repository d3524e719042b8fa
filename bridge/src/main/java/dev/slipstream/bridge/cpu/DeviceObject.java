package dev.slipstream.bridge.cpu;

import dev.slipstream.bridge.DeviceLostException;

/**
 * Something that a device made and its owner closes. It is closed once, and its device knows it until then. The string
 * form is what errors and leak reports call it.
 */
abstract class DeviceObject implements AutoCloseable {
    private final CpuDevice device;
    private volatile boolean closed;

    DeviceObject(CpuDevice device) {
        this.device = device;
    }

    public final CpuDevice device() {
        return device;
    }

    /** Refuses what is closed, and with a {@link DeviceLostException} what belongs to a device that was given up. */
    final void requireOpen() {
        if (closed) {
            throw new IllegalStateException(this + " of " + device.name() + " is closed");
        }
        device.requireUsable();
    }

    @Override
    public final void close() {
        if (device.openObjects().remove(this)) {
            closed = true;
            device.workers().free(this);
        }
    }

    /** Gives back what it holds. Called once. */
    abstract void free();
}
