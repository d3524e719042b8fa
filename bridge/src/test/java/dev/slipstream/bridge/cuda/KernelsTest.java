package dev.slipstream.bridge.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import dev.slipstream.bridge.cuda.driver.DriverCheck;
import dev.slipstream.bridge.cuda.driver.DriverLibrary;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;

/** The lines of the kernels, run by the stand-in for the driver. */
class KernelsTest extends KernelContract {
    private FakeCuda fake;

    @Override
    protected DriverCheck.Ready driver() {
        fake = FakeCuda.orSkip();
        fake.reset(1, 1 << 24);
        DriverCheck driverCheck = DriverCheck.run(new DriverLibrary(Optional.of(fake.library())));
        return assertInstanceOf(DriverCheck.Ready.class, driverCheck);
    }

    @AfterEach
    @Override
    void free() {
        super.free();
        if (fake != null) {
            assertEquals(0, fake.liveHandles(), fake::liveReport);
        }
    }
}
