package dev.slipstream.bridge.cuda.driver;

import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_ERROR_OUT_OF_MEMORY;
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
     * Codes after which the context is useless and every later call gives them again (CUDA driver API, CUresult: "the
     * only way to continue using CUDA is to terminate and relaunch"): ECC and NVLink errors, illegal address, launch
     * timeout, destroyed context, assert, hardware stack, illegal instruction, misaligned address, invalid address
     * space, invalid program counter, launch failure, contained memory error, external device.
     */
    private static final Set<Integer> STICKY =
        Set.of(214, 220, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719, 721, 911, 912);

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
        return isSticky(result) ? new DeviceLostException(message + "; the device is lost, close it and open it again")
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
