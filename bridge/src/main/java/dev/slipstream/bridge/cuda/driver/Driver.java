package dev.slipstream.bridge.cuda.driver;

import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_SUCCESS;
import static dev.slipstream.jextract.cuda.CudaDriver.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR;
import static dev.slipstream.jextract.cuda.CudaDriver.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR;
import static dev.slipstream.jextract.cuda.CudaDriver.CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.cuda.driver.Handle.ContextHandle;
import dev.slipstream.jextract.cuda.CudaDriver;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/**
 * Calls of the driver that belong to no context. Having one proves that the library is open. Any thread may use it.
 */
public final class Driver {
    private static final int NAME_BYTES = 256;

    private final Path library;

    Driver(Path library) {
        this.library = library;
    }

    public Path library() {
        return library;
    }

    /** The result code of {@code cuInit}. */
    int init() {
        return CudaDriver.cuInit(0);
    }

    /** The CUDA version that the driver serves, for example 13000 for 13.0. */
    public int version() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.JAVA_INT);
            check(CudaDriver.cuDriverGetVersion(out), "CUDA driver", "cuDriverGetVersion");
            return out.get(ValueLayout.JAVA_INT, 0);
        }
    }

    int deviceCount() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.JAVA_INT);
            check(CudaDriver.cuDeviceGetCount(out), "CUDA driver", "cuDeviceGetCount");
            return out.get(ValueLayout.JAVA_INT, 0);
        }
    }

    Gpu gpu(int ordinal) {
        int device = device(ordinal);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocate(NAME_BYTES);
            check(CudaDriver.cuDeviceGetName(name, NAME_BYTES, device), ordinal, "cuDeviceGetName");
            MemorySegment total = arena.allocate(ValueLayout.JAVA_LONG);
            check(CudaDriver.cuDeviceTotalMem_v2(total, device), ordinal, "cuDeviceTotalMem");
            return new Gpu(ordinal, name.getString(0),
                attribute(ordinal, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR()),
                attribute(ordinal, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR()),
                total.get(ValueLayout.JAVA_LONG, 0));
        }
    }

    boolean hasMemoryPools(int ordinal) {
        return attribute(ordinal, CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED()) != 0;
    }

    /** Whether one GPU can reach the memory of another directly. */
    public boolean canAccessPeer(int ordinal, int peer) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.JAVA_INT);
            check(CudaDriver.cuDeviceCanAccessPeer(out, device(ordinal), device(peer)), ordinal,
                "cuDeviceCanAccessPeer of cuda:" + peer);
            return out.get(ValueLayout.JAVA_INT, 0) != 0;
        }
    }

    /** The primary context of a GPU, the one that CUDA's runtime uses too; {@link #release} gives it back. */
    public PrimaryContext retain(int ordinal) {
        int device = device(ordinal);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
            check(CudaDriver.cuDevicePrimaryCtxRetain(out, device), ordinal, "cuDevicePrimaryCtxRetain");
            return new PrimaryContext(ordinal, device, new ContextHandle(out.get(ValueLayout.ADDRESS, 0)));
        }
    }

    /**
     * Gives a primary context back; the last one to do so ends it. Libraries of CUDA's may hold it too, so a sticky
     * error need not end with our last device.
     */
    public void release(PrimaryContext context) {
        check(CudaDriver.cuDevicePrimaryCtxRelease_v2(context.device()), context.ordinal(),
            "cuDevicePrimaryCtxRelease");
    }

    private int device(int ordinal) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.JAVA_INT);
            check(CudaDriver.cuDeviceGet(out, ordinal), ordinal, "cuDeviceGet");
            return out.get(ValueLayout.JAVA_INT, 0);
        }
    }

    private int attribute(int ordinal, int attribute) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.JAVA_INT);
            check(CudaDriver.cuDeviceGetAttribute(out, attribute, device(ordinal)), ordinal,
                "cuDeviceGetAttribute " + attribute);
            return out.get(ValueLayout.JAVA_INT, 0);
        }
    }

    private static void check(int result, int ordinal, String call) {
        check(result, "cuda:" + ordinal, call);
    }

    /** @throws DeviceException naming the call and the code */
    private static void check(int result, String device, String call) {
        if (result != CUDA_SUCCESS()) {
            throw CudaErrors.of(device, call, result);
        }
    }
}
