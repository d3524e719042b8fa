package dev.slipstream.bridge.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import dev.slipstream.bridge.cuda.driver.DriverLibrary;
import dev.slipstream.bridge.cuda.driver.PreFlight;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;

/** The lines of the kernels, run by the stand-in for the driver. */
class KernelsTest extends KernelContract {
    private FakeCuda fake;

    @Override
    protected PreFlight.Ready driver() {
        fake = FakeCuda.orSkip();
        fake.reset(1, 1 << 24);
        PreFlight preFlight = PreFlight.run(new DriverLibrary(Optional.of(fake.library())));
        return assertInstanceOf(PreFlight.Ready.class, preFlight);
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
