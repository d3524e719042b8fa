package dev.slipstream.bridge.provider;

import dev.slipstream.bridge.DeviceLostException;

/**
 * Something that a device made and its owner closes. It is closed once, and its device knows it until then. The string
 * form is what errors and leak reports call it.
 *
 * @param <D> the provider's kind of device
 */
public abstract class DeviceObject<D extends BaseDevice> implements AutoCloseable {
    private final D device;
    private volatile boolean closed;

    protected DeviceObject(D device) {
        this.device = device;
    }

    public final D device() {
        return device;
    }

    /**
     * Refuses what is closed, naming it and its device, with an {@link IllegalStateException}, and with a
     * {@link DeviceLostException} what belongs to a device that is lost or was given up.
     */
    public final void requireOpen() {
        if (closed) {
            throw new IllegalStateException(this + " of " + device.name() + " is closed");
        }
        device.health().requireUsable();
    }

    @Override
    public final void close() {
        if (device.forget(this)) {
            closed = true;
            device.release(this);
        }
    }

    /** Gives back what it holds. Called once, by its device, when no work uses it any more. */
    protected abstract void free();
}
