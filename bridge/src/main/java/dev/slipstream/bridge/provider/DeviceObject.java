package dev.slipstream.bridge.provider;

import dev.slipstream.bridge.Device;

/**
 * Something that a device made and its owner closes. It is closed once, and its device knows it until then. The string
 * form is what errors and leak reports call it.
 *
 * @param <D> the provider's kind of device
 */
public abstract class DeviceObject<D extends Device> implements AutoCloseable {
    private final D device;
    private final OpenObjects open;
    private volatile boolean closed;

    /** @param open the device's, which {@link OpenObjects#add} makes it one of */
    protected DeviceObject(D device, OpenObjects open) {
        this.device = device;
        this.open = open;
    }

    public final D device() {
        return device;
    }

    /** @throws IllegalStateException naming it and its device, if it is closed */
    public final void requireOpen() {
        if (closed) {
            throw new IllegalStateException(this + " of " + device.name() + " is closed");
        }
    }

    @Override
    public final void close() {
        if (open.remove(this)) {
            closed = true;
            free();
        }
    }

    /** Gives back what it holds. Called once. */
    protected abstract void free();
}
