package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.cuda.driver.PreFlight;
import org.junit.jupiter.api.Tag;

/** The kernels as the driver compiles them for the GPU. */
@Tag("gpu")
class GpuKernelsTest extends KernelContract {
    @Override
    protected PreFlight.Ready driver() {
        return RealGpus.driverOrSkip();
    }
}
