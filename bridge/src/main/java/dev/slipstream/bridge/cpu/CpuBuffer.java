package dev.slipstream.bridge.cpu;

import dev.slipstream.bridge.DeviceOutOfMemoryException;
import dev.slipstream.bridge.provider.BaseBuffer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Native memory. It is freed when the buffer is closed and no binding names it any more, as ONNX Runtime would not
 * notice that memory it writes to is gone.
 */
final class CpuBuffer extends BaseBuffer<CpuDevice> {
    /** A cache line, and the widest vector register. */
    private static final long ALIGNMENT = 64;

    private final Arena arena;
    private final MemorySegment segment;
    private final AtomicInteger users = new AtomicInteger(1);

    private CpuBuffer(CpuDevice device, Arena arena, MemorySegment segment) {
        super(device, segment.byteSize());
        this.arena = arena;
        this.segment = segment;
    }

    static CpuBuffer allocate(CpuDevice device, long bytes) {
        long machine = MachineMemory.bytes();
        if (bytes > machine) {
            throw outOfMemory(device, bytes, machine, null);
        }
        Arena arena = Arena.ofShared();
        try {
            return new CpuBuffer(device, arena, arena.allocate(bytes, ALIGNMENT));
        } catch (OutOfMemoryError refused) {
            arena.close();
            throw outOfMemory(device, bytes, machine, refused);
        }
    }

    private static DeviceOutOfMemoryException outOfMemory(CpuDevice device, long bytes, long machine, Error cause) {
        return new DeviceOutOfMemoryException(device.name() + ": no memory for a buffer of " + bytes
            + " bytes; the machine has " + machine + " bytes in all", cause);
    }

    MemorySegment segment() {
        return segment;
    }

    /** Keeps the memory until {@link #release}. */
    void retain() {
        if (users.getAndUpdate(count -> count == 0 ? 0 : count + 1) == 0) {
            throw new IllegalStateException(this + " of " + device().name() + " is closed");
        }
    }

    /** @throws IllegalStateException if it is not kept the memory, as it was released once too often */
    void release() {
        int left = users.decrementAndGet();
        if (left < 0) {
            users.set(0);
            throw new IllegalStateException(this + " of " + device().name() + " was released once too often");
        }
        if (left == 0) {
            arena.close();
        }
    }

    @Override
    protected void free() {
        release();
    }
}
