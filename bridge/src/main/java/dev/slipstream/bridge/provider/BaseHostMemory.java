package dev.slipstream.bridge.provider;

import dev.slipstream.bridge.Device;
import java.lang.foreign.MemorySegment;

/** Memory of the host that its device knows while it is open. */
public final class BaseHostMemory<D extends BaseDevice> extends DeviceObject<D> implements Device.HostMemory {
    private final MemorySegment bytes;
    private final Runnable free;

    /** @param free gives the memory back; called once, when no work uses it any more */
    public BaseHostMemory(D device, MemorySegment bytes, Runnable free) {
        super(device);
        this.bytes = bytes;
        this.free = free;
    }

    @Override
    public MemorySegment bytes() {
        requireOpen();
        return bytes;
    }

    @Override
    protected void free() {
        free.run();
    }

    @Override
    public String toString() {
        return "host memory of " + bytes.byteSize() + " bytes";
    }
}
