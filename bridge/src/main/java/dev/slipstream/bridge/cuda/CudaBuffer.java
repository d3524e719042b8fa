package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.provider.DeviceObject;

/**
 * Device memory. Closing it frees the memory in stream order: behind all that the streams of its device were given
 * until then.
 */
final class CudaBuffer extends DeviceObject<CudaDevice> implements Buffer {
    private final long address;
    private final long bytes;

    CudaBuffer(CudaDevice device, long address, long bytes) {
        super(device);
        this.address = address;
        this.bytes = bytes;
    }

    /** The buffer of a slice, open. @throws IllegalArgumentException if it belongs to another provider */
    static CudaBuffer of(Slice slice) {
        if (slice.buffer() instanceof CudaBuffer buffer) {
            buffer.requireOpen();
            return buffer;
        }
        throw new IllegalArgumentException("a buffer of " + slice.buffer().device().name() + " is no cuda buffer");
    }

    /** Where a slice of a buffer that is known to be ours begins. */
    static long address(Slice slice) {
        return ((CudaBuffer) slice.buffer()).address + slice.offset();
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public void free() {
        device().free(address);
    }

    @Override
    public String toString() {
        return "buffer of " + bytes + " bytes";
    }
}
