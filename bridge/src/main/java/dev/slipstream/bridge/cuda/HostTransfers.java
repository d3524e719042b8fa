package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.cuda.driver.DeviceCalls;
import dev.slipstream.bridge.cuda.driver.Handle.StreamHandle;
import dev.slipstream.bridge.cuda.driver.HostFunctions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Copies between a device and Java arrays, which the driver cannot reach: by way of pinned memory, and with a host
 * function behind the copy that moves the bytes on and gives the pinned memory back. Memory outside of the Java heap is
 * copied without all this. Any thread may use it.
 */
final class HostTransfers implements AutoCloseable {
    private final DeviceCalls calls;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment function = HostFunctions.stub(this::finish, arena);
    private final Map<Long, Runnable> running = new ConcurrentHashMap<>();
    private final AtomicLong numbers = new AtomicLong();

    // Guarded by this: pinned memory that is not in use, and all there is.
    private final Deque<MemorySegment> spare = new ArrayDeque<>();
    private final Deque<MemorySegment> all = new ArrayDeque<>();

    HostTransfers(DeviceCalls calls) {
        this.calls = calls;
    }

    void upload(MemorySegment from, long to, StreamHandle stream) {
        long bytes = from.byteSize();
        if (from.isNative()) {
            calls.upload(from, to, bytes, stream);
            return;
        }
        MemorySegment pinned = take(bytes);
        MemorySegment.copy(from, 0, pinned, 0, bytes);
        try {
            calls.upload(pinned, to, bytes, stream);
        } catch (RuntimeException failure) {
            giveBack(pinned);
            throw failure;
        }
        after(stream, pinned, () -> giveBack(pinned));
    }

    void download(long from, MemorySegment to, StreamHandle stream) {
        long bytes = to.byteSize();
        if (to.isNative()) {
            calls.download(from, to, bytes, stream);
            return;
        }
        MemorySegment pinned = take(bytes);
        try {
            calls.download(from, pinned, bytes, stream);
        } catch (RuntimeException failure) {
            giveBack(pinned);
            throw failure;
        }
        after(stream, pinned, () -> {
            MemorySegment.copy(pinned, 0, to, 0, bytes);
            giveBack(pinned);
        });
    }

    /** Where this fails the pinned memory stays in use until the end, as the copy before may still touch it. */
    private void after(StreamHandle stream, MemorySegment pinned, Runnable action) {
        long number = numbers.incrementAndGet();
        running.put(number, action);
        try {
            calls.callHost(function, number, stream);
        } catch (RuntimeException failure) {
            running.remove(number);
            throw failure;
        }
    }

    private void finish(long number) {
        running.remove(number).run();
    }

    private MemorySegment take(long bytes) {
        synchronized (this) {
            for (MemorySegment each : spare) {
                if (each.byteSize() >= bytes) {
                    spare.remove(each);
                    return each;
                }
            }
        }
        MemorySegment pinned = calls.allocatePinned(Math.max(4096, Long.highestOneBit(Math.max(1, bytes - 1)) * 2));
        synchronized (this) {
            all.add(pinned);
        }
        return pinned;
    }

    private synchronized void giveBack(MemorySegment pinned) {
        spare.add(pinned);
    }

    /** Frees the pinned memory. All streams must be closed. */
    @Override
    public synchronized void close() {
        RuntimeException first = null;
        for (MemorySegment pinned : all) {
            try {
                calls.freePinned(pinned);
            } catch (RuntimeException failure) {
                first = first == null ? failure : first;
            }
        }
        all.clear();
        arena.close();
        if (first != null) {
            throw first;
        }
    }
}
