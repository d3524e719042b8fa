package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.cuda.driver.DriverCheck;
import org.junit.jupiter.api.Tag;

/** The kernels as the driver compiles them for the GPU. */
@Tag("gpu")
class GpuKernelsTest extends KernelContract {
    @Override
    protected DriverCheck.Ready driver() {
        return RealGpus.driverOrSkip();
    }
}
