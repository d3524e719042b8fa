package dev.slipstream.bridge.cpu;

import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.FaultInjectingProvider;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.contract.DeviceContractTest;
import dev.slipstream.bridge.contract.DeviceFixture;
import org.junit.jupiter.api.extension.ExtendWith;

/** While nothing fails, a fault-injecting provider cannot be told from a real one. */
@ExtendWith(NothingNativeIsLeft.class)
class FaultInjectingContractTest extends DeviceContractTest {
    private final FaultInjectingProvider provider = new FaultInjectingProvider(new CpuProvider());

    @Override
    protected DeviceProvider provider() {
        return provider;
    }

    @Override
    protected DeviceSpec spec() {
        return DeviceSpec.parse("cpu:1");
    }

    @Override
    protected DeviceFixture.Gate block(Stream stream) {
        return TestGate.block(FaultInjectingProvider.unwrap(stream));
    }
}
