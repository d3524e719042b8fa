package dev.slipstream.bridge.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.bridge.DeviceContractTest;
import dev.slipstream.bridge.DeviceFixture;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.cuda.driver.DriverLibrary;
import dev.slipstream.bridge.cuda.driver.PreFlight;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The CUDA provider on the stand-in for the driver, with engines on the host. Subclasses choose the devices. */
abstract class FakeCudaContract extends DeviceContractTest {
    private static final long DEVICE_BYTES = 1L << 32;

    private static FakeCuda fake;
    private static HostEngines engines;
    private static DeviceProvider provider;

    @BeforeAll
    static void startDriver() {
        fake = FakeCuda.orSkip();
        fake.reset(4, DEVICE_BYTES);
        engines = new HostEngines();
        engines.refuse("bad/pick");
        provider = new CudaProvider(() -> PreFlight.run(new DriverLibrary(Optional.of(fake.library()))), () -> engines);
    }

    @AfterAll
    static void stopDriver() {
        if (engines != null) {
            // Devices that were given up are freed when another one is opened.
            provider.open(DeviceSpec.parse("cuda:0")).close();
            assertEquals(0, engines.liveObjects(), "engines and contexts that were not closed");
            engines.close();
            assertEquals(0, fake.liveHandles(), fake::liveReport);
        }
    }

    @Override
    protected DeviceProvider provider() {
        return provider;
    }

    @Override
    protected DeviceSpec spec() {
        return DeviceSpec.parse("cuda:0");
    }

    @Override
    protected DeviceFixture.Gate block(Stream stream) {
        return CudaGate.block(stream);
    }
}
