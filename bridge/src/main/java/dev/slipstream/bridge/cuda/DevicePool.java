package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.DeviceOutOfMemoryException;
import dev.slipstream.bridge.cuda.driver.DeviceCalls;
import dev.slipstream.bridge.cuda.driver.MemoryPool;
import java.lang.foreign.MemorySegment;

/**
 * Memory of one device: a pool, one private stream in which it is allocated and one in which it is freed, so that a free
 * which waits for work holds no allocation back. Any thread may use it.
 */
final class DevicePool implements AutoCloseable {
    private final CudaDevice device;
    private final DeviceCalls calls;
    private final MemoryPool pool;
    private final MemorySegment allocating;
    private final MemorySegment freeing;
    private final MemorySegment tail;
    private final long totalBytes;

    DevicePool(CudaDevice device, DeviceCalls calls, Opened opened, long totalBytes) {
        this.device = device;
        this.calls = calls;
        this.totalBytes = totalBytes;
        this.pool = opened.own(MemoryPool.create(calls, device.ordinal()));
        this.allocating = opened.stream();
        this.freeing = opened.stream();
        this.tail = opened.event();
    }

    MemoryPool pool() {
        return pool;
    }

    /** The address of at least one byte, which every stream may use. */
    synchronized long allocate(long bytes) {
        if (bytes > totalBytes) {
            throw outOfMemory(bytes, "the device has " + totalBytes + " bytes in all", null);
        }
        try {
            long address = pool.allocate(Math.max(1, bytes), allocating);
            try {
                Patience.await(() -> calls.isIdle(allocating));
                return address;
            } catch (RuntimeException failure) {
                pool.free(address, allocating);
                throw failure;
            }
        } catch (DeviceOutOfMemoryException full) {
            throw outOfMemory(bytes, calls.memory() + " now", full);
        }
    }

    private DeviceOutOfMemoryException outOfMemory(long bytes, String state, Throwable cause) {
        return new DeviceOutOfMemoryException(device.name() + ": no memory for a buffer of " + bytes + " bytes; "
            + state, cause);
    }

    /** Frees memory once the streams of the device have done what they were given until now. */
    synchronized void free(long address) {
        if (!calls.health().isLost()) {
            for (CudaStream stream : device.openObjects().ofType(CudaStream.class)) {
                stream.holdBack(freeing, tail);
            }
        }
        pool.free(address, freeing);
    }

    @Override
    public void close() {
        // The streams and the event belong to the device's list of what it opened.
    }
}
