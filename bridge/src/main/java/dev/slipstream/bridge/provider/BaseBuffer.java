package dev.slipstream.bridge.provider;

import dev.slipstream.bridge.Buffer;

/** A buffer that its device knows while it is open. */
public abstract class BaseBuffer<D extends BaseDevice> extends DeviceObject<D> implements Buffer {
    private final long bytes;

    protected BaseBuffer(D device, long bytes) {
        super(device);
        this.bytes = bytes;
    }

    @Override
    public final long bytes() {
        return bytes;
    }

    @Override
    public final String toString() {
        return "buffer of " + bytes + " bytes";
    }
}
