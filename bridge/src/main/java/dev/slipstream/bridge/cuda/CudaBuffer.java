package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.provider.BaseBuffer;

/**
 * Device memory. Closing it frees the memory in stream order: behind all that the streams of its device were given
 * until then.
 */
final class CudaBuffer extends BaseBuffer<CudaDevice> {
    private final long address;

    CudaBuffer(CudaDevice device, long address, long bytes) {
        super(device, bytes);
        this.address = address;
    }

    /** Where a slice of a buffer that is known to be ours begins. */
    static long address(Slice slice) {
        return ((CudaBuffer) slice.buffer()).address + slice.offset();
    }

    @Override
    protected void free() {
        device().heap().free(address);
    }
}
