package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.DeviceOutOfMemoryException;
import dev.slipstream.bridge.cuda.driver.DeviceCalls;
import dev.slipstream.bridge.cuda.driver.MemoryPool;
import dev.slipstream.bridge.provider.Owned;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/**
 * Memory of one device: a pool, one private stream in which it is allocated and one in which it is freed, so that a
 * free which waits for work holds no allocation back. Any thread may use it.
 */
final class DeviceHeap implements AutoCloseable {
    /** How long a request that finds no memory waits for what is freed but still in use. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final DeviceCalls calls;
    private final long totalBytes;
    private final BiConsumer<MemorySegment, MemorySegment> holdBack;
    private final Owned owned = new Owned();
    private final MemoryPool pool;
    private final MemorySegment allocating;
    private final MemorySegment freeing;
    private final MemorySegment tail;

    /** @param holdBack makes a stream wait for all work that the device was given, by means of an event */
    DeviceHeap(DeviceCalls calls, int ordinal, long totalBytes, BiConsumer<MemorySegment, MemorySegment> holdBack) {
        this.calls = calls;
        this.totalBytes = totalBytes;
        this.holdBack = holdBack;
        try {
            pool = owned.own(MemoryPool.create(calls, ordinal));
            allocating = newStream();
            freeing = newStream();
            MemorySegment event = calls.newEvent(false);
            owned.own(() -> calls.destroyEvent(event));
            tail = event;
        } catch (RuntimeException failure) {
            owned.closeAfter(failure);
            throw failure;
        }
    }

    private MemorySegment newStream() {
        MemorySegment stream = calls.newStream();
        owned.own(() -> calls.destroyStream(stream));
        return stream;
    }

    /** Lets another GPU reach this memory directly. */
    void admit(int peer) {
        pool.admit(peer);
    }

    /** The address of at least one byte, which every stream may use. */
    synchronized long allocate(String device, long bytes) {
        if (bytes > totalBytes) {
            throw outOfMemory(device, bytes, "the device has " + totalBytes + " bytes in all", null);
        }
        long address = allocateOrReclaim(device, Math.max(1, bytes));
        try {
            Pause.until(() -> calls.isIdle(allocating));
            return address;
        } catch (RuntimeException failure) {
            try {
                pool.free(address, allocating);
            } catch (RuntimeException second) {
                failure.addSuppressed(second);
            }
            throw failure;
        }
    }

    private long allocateOrReclaim(String device, long bytes) {
        try {
            return pool.allocate(bytes, allocating);
        } catch (DeviceOutOfMemoryException full) {
            try {
                if (reclaim()) {
                    return pool.allocate(bytes, allocating);
                }
            } catch (DeviceOutOfMemoryException still) {
                full.addSuppressed(still);
            }
            throw outOfMemory(device, bytes, calls.memory().freeBytes() + " of " + totalBytes + " are free", full);
        }
    }

    private static DeviceOutOfMemoryException outOfMemory(String device, long bytes, String state, Throwable cause) {
        return new DeviceOutOfMemoryException(
            device + ": no memory for a buffer of " + bytes + " bytes; " + state, cause);
    }

    /** Gives memory that nobody uses back to the device, for those who do not take it from here, as TensorRT. */
    synchronized void trim() {
        pool.trim();
    }

    /** As {@link #trim}, but waits a while for work that what was freed waits for. Returns whether that helped. */
    boolean reclaim() {
        long before = calls.memory().freeBytes();
        long start = System.nanoTime();
        while (!calls.isIdle(freeing) && System.nanoTime() - start < PATIENCE_NANOS) {
            Pause.after(System.nanoTime() - start);
        }
        trim();
        return calls.memory().freeBytes() > before;
    }

    /** Frees memory once the device has done what it was given until now. */
    synchronized void free(long address) {
        try {
            holdBack.accept(freeing, tail);
        } finally {
            pool.free(address, freeing);
        }
    }

    /** Waits until all is freed, and gives the pool's memory back. */
    @Override
    public void close() {
        if (!calls.health().isLost()) {
            owned.own(() -> Pause.until(() -> calls.isIdle(freeing)));
        }
        owned.close();
    }
}
