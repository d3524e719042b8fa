package dev.slipstream.bridge.cpu;

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

    final void requireOpen() {
        if (closed) {
            throw new IllegalStateException(this + " of " + device.name() + " is closed");
        }
    }

    @Override
    public final void close() {
        if (device.openObjects().remove(this)) {
            closed = true;
            free();
        }
    }

    /** Gives back what it holds. Called once. */
    abstract void free();
}
