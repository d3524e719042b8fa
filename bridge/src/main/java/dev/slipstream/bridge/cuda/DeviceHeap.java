package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.DeviceOutOfMemoryException;
import dev.slipstream.bridge.cuda.driver.DeviceCalls;
import dev.slipstream.bridge.cuda.driver.Gpu;
import dev.slipstream.bridge.cuda.driver.Handle.EventHandle;
import dev.slipstream.bridge.cuda.driver.Handle.StreamHandle;
import dev.slipstream.bridge.cuda.driver.MemoryPool;
import dev.slipstream.bridge.provider.Closer;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/**
 * Memory of one device: a pool, one private stream in which it is allocated and one in which it is freed, so that a
 * free which waits for work holds no allocation back. Any thread may use it.
 */
final class DeviceHeap implements AutoCloseable {
    /** How long a request that finds no memory waits for what is freed but still in use. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final String device;
    private final DeviceCalls calls;
    private final long totalBytes;
    private final BiConsumer<StreamHandle, EventHandle> makeWait;
    private final Closer owned = new Closer();
    private final MemoryPool pool;
    private final StreamHandle allocating;
    private final StreamHandle freeing;
    private final EventHandle tail;

    /** @param makeWait makes a stream wait for all work that the device was given, by means of an event */
    DeviceHeap(String device, DeviceCalls calls, Gpu gpu,
            BiConsumer<StreamHandle, EventHandle> makeWait) {
        this.device = device;
        this.calls = calls;
        this.totalBytes = gpu.totalBytes();
        this.makeWait = makeWait;
        try {
            pool = owned.own(MemoryPool.create(calls, gpu.ordinal()));
            allocating = newStream();
            freeing = newStream();
            EventHandle event = calls.newEvent(false);
            owned.own(() -> calls.destroyEvent(event));
            tail = event;
        } catch (RuntimeException failure) {
            owned.closeAfter(failure);
            throw failure;
        }
    }

    private StreamHandle newStream() {
        StreamHandle stream = calls.newStream();
        owned.own(() -> calls.destroyStream(stream));
        return stream;
    }

    /** Lets another GPU reach this memory directly. */
    void admit(int peer) {
        pool.admit(peer);
    }

    /** The address of at least one byte, which every stream may use. */
    synchronized long allocate(long bytes) {
        if (bytes > totalBytes) {
            throw outOfMemory(bytes, "the device has " + totalBytes + " bytes in all", null);
        }
        long address = allocateOrReclaim(Math.max(1, bytes));
        try {
            Backoff.until(() -> calls.isIdle(allocating));
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

    private long allocateOrReclaim(long bytes) {
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
            throw outOfMemory(bytes, calls.memory().freeBytes() + " of " + totalBytes + " are free", full);
        }
    }

    private DeviceOutOfMemoryException outOfMemory(long bytes, String state, Throwable cause) {
        return new DeviceOutOfMemoryException(
            device + ": no memory for a buffer of " + bytes + " bytes; " + state, cause);
    }

    /** Gives memory that is not in use back to the device, for those who do not take it from here, as TensorRT. */
    synchronized void trim() {
        pool.trim();
    }

    /** As {@link #trim}, but waits a while for work that what was freed waits for. Returns whether that helped. */
    boolean reclaim() {
        long before = calls.memory().freeBytes();
        long start = System.nanoTime();
        while (!calls.isIdle(freeing) && System.nanoTime() - start < PATIENCE_NANOS) {
            Backoff.after(System.nanoTime() - start);
        }
        trim();
        return calls.memory().freeBytes() > before;
    }

    /** Frees memory once the device has done what it was given until now. */
    synchronized void free(long address) {
        try {
            makeWait.accept(freeing, tail);
        } finally {
            pool.free(address, freeing);
        }
    }

    /** Waits until all is freed, and gives the pool's memory back. */
    @Override
    public void close() {
        if (!calls.health().isLost()) {
            owned.own(() -> Backoff.until(() -> calls.isIdle(freeing)));
        }
        owned.close();
    }
}
