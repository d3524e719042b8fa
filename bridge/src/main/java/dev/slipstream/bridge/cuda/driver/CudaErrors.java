package dev.slipstream.bridge.cuda.driver;

import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_ERROR_ASSERT;
import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_ERROR_CONTAINED;
import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_ERROR_CONTEXT_IS_DESTROYED;
import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_ERROR_ECC_UNCORRECTABLE;
import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_ERROR_EXTERNAL_DEVICE;
import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_ERROR_HARDWARE_STACK_ERROR;
import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_ERROR_ILLEGAL_ADDRESS;
import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_ERROR_ILLEGAL_INSTRUCTION;
import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_ERROR_INVALID_ADDRESS_SPACE;
import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_ERROR_INVALID_PC;
import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_ERROR_LAUNCH_FAILED;
import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_ERROR_LAUNCH_TIMEOUT;
import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_ERROR_MISALIGNED_ADDRESS;
import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_ERROR_MPS_CLIENT_TERMINATED;
import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_ERROR_NVLINK_UNCORRECTABLE;
import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_ERROR_OUT_OF_MEMORY;
import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_ERROR_TENSOR_MEMORY_LEAK;
import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_SUCCESS;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceLostException;
import dev.slipstream.bridge.DeviceOutOfMemoryException;
import dev.slipstream.jextract.cuda.CudaDriver;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Set;

/** Results of driver calls as exceptions. */
final class CudaErrors {
    /**
     * Codes after which the context is useless and every later call gives them again. Of most of them the CUDA driver
     * API says (CUresult): "to continue using CUDA, the process must be terminated and relaunched".
     */
    private static final Set<Integer> STICKY = Set.of(
        CUDA_ERROR_ECC_UNCORRECTABLE(), CUDA_ERROR_NVLINK_UNCORRECTABLE(), CUDA_ERROR_CONTAINED(),
        CUDA_ERROR_ILLEGAL_ADDRESS(), CUDA_ERROR_LAUNCH_TIMEOUT(), CUDA_ERROR_CONTEXT_IS_DESTROYED(),
        CUDA_ERROR_ASSERT(), CUDA_ERROR_HARDWARE_STACK_ERROR(), CUDA_ERROR_ILLEGAL_INSTRUCTION(),
        CUDA_ERROR_MISALIGNED_ADDRESS(), CUDA_ERROR_INVALID_ADDRESS_SPACE(), CUDA_ERROR_INVALID_PC(),
        CUDA_ERROR_LAUNCH_FAILED(), CUDA_ERROR_TENSOR_MEMORY_LEAK(), CUDA_ERROR_MPS_CLIENT_TERMINATED(),
        CUDA_ERROR_EXTERNAL_DEVICE());

    private CudaErrors() {
    }

    static boolean isSticky(int result) {
        return STICKY.contains(result);
    }

    /**
     * The exception for a result that is not success.
     *
     * @param call the function, and what it was to do where that says more: {@code cuMemAllocFromPoolAsync of 8 bytes}
     */
    static DeviceException of(String device, String call, int result) {
        String message = device + ": " + call + " failed: " + describe(result);
        if (result == CUDA_ERROR_OUT_OF_MEMORY()) {
            return new DeviceOutOfMemoryException(message);
        }
        return isSticky(result) ? new DeviceLostException(message + "; the device is lost, restart the process")
            : new DeviceException(message);
    }

    /** For example {@code CUDA_ERROR_INVALID_VALUE (1), invalid argument}. */
    static String describe(int result) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(ValueLayout.ADDRESS);
            boolean named = CudaDriver.cuGetErrorName(result, text) == CUDA_SUCCESS();
            String name = named ? string(text) : "unknown code";
            boolean explained = CudaDriver.cuGetErrorString(result, text) == CUDA_SUCCESS();
            return name + " (" + result + ")" + (explained ? ", " + string(text) : "");
        }
    }

    private static String string(MemorySegment pointer) {
        return pointer.get(ValueLayout.ADDRESS, 0).reinterpret(Long.MAX_VALUE).getString(0);
    }
}
