package dev.slipstream.bridge.cuda.driver;

import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_SUCCESS;
import static dev.slipstream.jextract.cuda.CudaDriver.CU_JIT_ERROR_LOG_BUFFER;
import static dev.slipstream.jextract.cuda.CudaDriver.CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES;

import dev.slipstream.bridge.cuda.driver.Handle.KernelHandle;
import dev.slipstream.jextract.cuda.CudaDriver;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Kernels that the driver compiled from PTX for one device. It owns them; their handles end with it. */
public final class KernelModule implements AutoCloseable {
    private static final int LOG_BYTES = 4096;

    private final DeviceCalls calls;
    private final MemorySegment module;

    private KernelModule(DeviceCalls calls, MemorySegment module) {
        this.calls = calls;
        this.module = module;
    }

    /** Compiles PTX. What the compiler says to bad PTX is in the exception. */
    public static KernelModule load(DeviceCalls calls, String ptx) {
        calls.enter();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment log = arena.allocate(LOG_BYTES);
            MemorySegment options = arena.allocateFrom(ValueLayout.JAVA_INT,
                CU_JIT_ERROR_LOG_BUFFER(), CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES());
            // Option values are pointers, or numbers in the place of pointers.
            MemorySegment values = arena.allocateFrom(ValueLayout.JAVA_LONG, log.address(), LOG_BYTES);
            MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
            int result = CudaDriver.cuModuleLoadDataEx(out, arena.allocateFrom(ptx), 2, options, values);
            if (result != CUDA_SUCCESS()) {
                String words = log.getString(0).replaceAll("\\s+", " ").strip();
                throw calls.failed("cuModuleLoadDataEx of the kernels" + (words.isEmpty() ? "" : " (" + words + ")"),
                    result);
            }
            return new KernelModule(calls, out.get(ValueLayout.ADDRESS, 0));
        }
    }

    public KernelHandle kernel(String name) {
        calls.enter();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
            calls.check(CudaDriver.cuModuleGetFunction(out, module, arena.allocateFrom(name)),
                "cuModuleGetFunction " + name);
            return new KernelHandle(out.get(ValueLayout.ADDRESS, 0));
        }
    }

    @Override
    public void close() {
        calls.give(calls.bind(), CudaDriver.cuModuleUnload(module), "cuModuleUnload");
    }
}
