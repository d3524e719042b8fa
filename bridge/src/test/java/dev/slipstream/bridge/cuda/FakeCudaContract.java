package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.contract.DeviceContractTest;
import dev.slipstream.bridge.contract.DeviceFixture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The CUDA provider on the stand-in for the driver, with engines on the host. Subclasses choose the devices. */
abstract class FakeCudaContract extends DeviceContractTest {
    private static FakeGpus gpus;

    @BeforeAll
    static void startDriver() {
        gpus = FakeGpus.orSkip(4);
        gpus.engines().refuse("bad/pick");
    }

    @AfterAll
    static void stopDriver() {
        if (gpus != null) {
            gpus.close();
        }
    }

    @Override
    protected DeviceProvider provider() {
        return gpus.provider();
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
