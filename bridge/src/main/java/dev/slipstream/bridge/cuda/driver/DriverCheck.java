package dev.slipstream.bridge.cuda.driver;

import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE;
import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_ERROR_NO_DEVICE;
import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_ERROR_STUB_LIBRARY;
import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_ERROR_SYSTEM_DRIVER_MISMATCH;
import static dev.slipstream.jextract.cuda.CudaDriver.CUDA_SUCCESS;

import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.DeviceException;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What must be true before anything else of CUDA, or any function of TensorRT that makes something, is called: TensorRT
 * without a working driver ends the process or gives pointers to nowhere. The order is: library, {@code cuInit}, number
 * of devices, driver version, compute capability.
 */
public sealed interface DriverCheck {
    /** There is at least one usable GPU. */
    record Ready(Driver driver, int driverVersion, List<Gpu> gpus) implements DriverCheck {
        public Ready {
            gpus = List.copyOf(gpus);
        }

        /** The CUDA version that the driver serves, for example {@code 13.0}. */
        public String versionText() {
            return text(driverVersion);
        }
    }

    /** There is none. */
    record Failed(Availability.Unavailable why) implements DriverCheck {
    }

    /** The first driver that has everything we call. */
    int LEAST_VERSION = 12_000;

    /** The lowest architecture that our kernels are made for, and TensorRT 10 runs on. */
    int LEAST_ARCHITECTURE = 75;

    /** Never throws. */
    static DriverCheck run(DriverLibrary library) {
        try {
            return run(library.open());
        } catch (DriverLibrary.NotFoundException absent) {
            return failed("no CUDA driver: " + absent.getMessage(), "install NVIDIA's driver, start a container with "
                + "GPUs, or name the library's file with -D" + DriverLibrary.PROPERTY + "=FILE");
        } catch (DeviceException | LinkageError failure) {
            return failed("the CUDA driver does not work: " + failure.getMessage(), "see whether nvidia-smi works");
        }
    }

    private static DriverCheck run(Driver driver) {
        int result = driver.init();
        if (result != CUDA_SUCCESS()) {
            return failed("the CUDA driver " + driver.library() + " does not start: " + CudaErrors.describe(result),
                remedy(result));
        }
        int count = driver.deviceCount();
        if (count == 0) {
            return failed("the CUDA driver sees no GPU", remedy(CUDA_ERROR_NO_DEVICE()));
        }
        int version = driver.version();
        if (version < LEAST_VERSION) {
            return failed("the CUDA driver serves CUDA " + text(version) + " only",
                "install a driver that serves at least CUDA " + text(LEAST_VERSION));
        }
        List<Gpu> gpus = IntStream.range(0, count).mapToObj(driver::gpu).toList();
        List<Gpu> usable = gpus.stream().filter(gpu -> 10 * gpu.major() + gpu.minor() >= LEAST_ARCHITECTURE
            && driver.hasMemoryPools(gpu.ordinal())).toList();
        return usable.isEmpty()
            ? failed("no GPU here can be used: " + gpus, "compute capability 7.5 and memory pools are needed")
            : new Ready(driver, version, usable);
    }

    private static String remedy(int result) {
        if (result == CUDA_ERROR_NO_DEVICE()) {
            return "see whether nvidia-smi lists a GPU, whether the container was started with GPUs, and what "
                + "CUDA_VISIBLE_DEVICES says";
        }
        if (result == CUDA_ERROR_STUB_LIBRARY()) {
            return "this is the toolkit's stand-in for linking; take its folder out of LD_LIBRARY_PATH";
        }
        if (result == CUDA_ERROR_SYSTEM_DRIVER_MISMATCH() || result == CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE()) {
            return "the library and the kernel's driver are of different versions; restart after the update, or take "
                + "the compatibility library away";
        }
        return "see whether nvidia-smi works";
    }

    private static Failed failed(String reason, String remedy) {
        return new Failed(new Availability.Unavailable(reason, remedy));
    }

    private static String text(int version) {
        return version / 1000 + "." + version % 1000 / 10;
    }
}
