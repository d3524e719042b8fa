package dev.slipstream.bridge.cuda.driver;

import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_SUCCESS;
import static dev.slipstream.jextract.cuda.CudaDriver.CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
import static dev.slipstream.jextract.cuda.CudaDriver.CU_MEM_ACCESS_FLAGS_PROT_READWRITE;
import static dev.slipstream.jextract.cuda.CudaDriver.CU_MEM_ALLOCATION_TYPE_PINNED;
import static dev.slipstream.jextract.cuda.CudaDriver.CU_MEM_LOCATION_TYPE_DEVICE;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.cuda.driver.Handle.StreamHandle;
import dev.slipstream.bridge.provider.Closer;
import dev.slipstream.jextract.cuda.CUmemAccessDesc_st;
import dev.slipstream.jextract.cuda.CUmemLocation_st;
import dev.slipstream.jextract.cuda.CUmemPoolProps_st;
import dev.slipstream.jextract.cuda.CudaDriver;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A memory pool of one device ({@code cuMemPoolCreate}): allocation and free have their place in a stream, and freed
 * memory stays with the pool until that is {@linkplain #trim trimmed} or closed, so that the next request of the same
 * size costs nothing. It owns the pool; what was allocated from it is freed before.
 */
public final class MemoryPool implements AutoCloseable {
    private final DeviceCalls calls;
    private final MemorySegment pool;

    private MemoryPool(DeviceCalls calls, MemorySegment pool) {
        this.calls = calls;
        this.pool = pool;
    }

    /** Makes a pool on the GPU of {@code calls}. */
    public static MemoryPool create(DeviceCalls calls, int ordinal) {
        calls.enter();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment properties = CUmemPoolProps_st.allocate(arena);
            CUmemPoolProps_st.allocType(properties, CU_MEM_ALLOCATION_TYPE_PINNED());
            place(CUmemPoolProps_st.location(properties), ordinal);
            MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
            calls.check(CudaDriver.cuMemPoolCreate(out, properties), "cuMemPoolCreate");
            MemoryPool made = new MemoryPool(calls, out.get(ValueLayout.ADDRESS, 0));
            made.keepFreedMemory(arena);
            return made;
        }
    }

    /** Without this the pool would give freed memory back to the system at the next wait for a stream. */
    private void keepFreedMemory(Arena arena) {
        int result = CudaDriver.cuMemPoolSetAttribute(pool, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD(),
            arena.allocateFrom(ValueLayout.JAVA_LONG, -1));
        if (result != CUDA_SUCCESS()) {
            Closer owned = new Closer();
            owned.own(this);
            DeviceException failure = calls.failed("cuMemPoolSetAttribute", result);
            owned.closeAfter(failure);
            throw failure;
        }
    }

    /** Lets another GPU, which can reach this one, read and write the pool's memory directly. */
    public void admit(int peer) {
        calls.enter();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment access = CUmemAccessDesc_st.allocate(arena);
            place(CUmemAccessDesc_st.location(access), peer);
            CUmemAccessDesc_st.flags(access, CU_MEM_ACCESS_FLAGS_PROT_READWRITE());
            calls.check(CudaDriver.cuMemPoolSetAccess(pool, access, 1), "cuMemPoolSetAccess for cuda:" + peer);
        }
    }

    private static void place(MemorySegment location, int ordinal) {
        CUmemLocation_st.type(location, CU_MEM_LOCATION_TYPE_DEVICE());
        CUmemLocation_st.id(location, ordinal);
    }

    /** The address of at least one new byte, usable in the stream from here on. */
    public long allocate(long bytes, StreamHandle stream) {
        calls.enter();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
            int result = CudaDriver.cuMemAllocFromPoolAsync(out, bytes, pool, stream.pointer());
            if (result != CUDA_SUCCESS()) {
                throw calls.failed("cuMemAllocFromPoolAsync of " + bytes + " bytes", result);
            }
            return out.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    /** Gives what is freed, as far as streams have come to that, back to the device. */
    public void trim() {
        calls.enter();
        calls.check(CudaDriver.cuMemPoolTrimTo(pool, 0), "cuMemPoolTrimTo");
    }

    /** Frees memory once the stream has come to here. */
    public void free(long address, StreamHandle stream) {
        calls.give(calls.bind(), CudaDriver.cuMemFreeAsync(address, stream.pointer()),
            "cuMemFreeAsync");
    }

    @Override
    public void close() {
        calls.give(calls.bind(), CudaDriver.cuMemPoolDestroy(pool), "cuMemPoolDestroy");
    }
}
