package dev.slipstream.bridge.cpu;

import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.DeviceOutOfMemoryException;
import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.provider.DeviceObject;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Native memory. It is freed when the buffer is closed and no binding names it any more, as ONNX Runtime would not
 * notice that memory it writes to is gone.
 */
final class CpuBuffer extends DeviceObject<CpuDevice> implements Buffer {
    /** A cache line, and the widest vector register. */
    private static final long ALIGNMENT = 64;

    private final Arena arena;
    private final MemorySegment segment;
    private final AtomicInteger users = new AtomicInteger(1);

    private CpuBuffer(CpuDevice device, Arena arena, MemorySegment segment) {
        super(device);
        this.arena = arena;
        this.segment = segment;
    }

    static CpuBuffer allocate(CpuDevice device, long bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("a buffer cannot have " + bytes + " bytes");
        }
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

    /** The buffer of a slice. @throws IllegalArgumentException if it belongs to another provider */
    static CpuBuffer of(Slice slice) {
        if (slice.buffer() instanceof CpuBuffer buffer) {
            buffer.requireOpen();
            return buffer;
        }
        throw new IllegalArgumentException("a buffer of " + slice.buffer().device().name() + " is no cpu buffer");
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

    void release() {
        if (users.decrementAndGet() == 0) {
            arena.close();
        }
    }

    @Override
    public long bytes() {
        return segment.byteSize();
    }

    @Override
    public void free() {
        release();
    }

    @Override
    public String toString() {
        return "buffer of " + bytes() + " bytes";
    }
}
