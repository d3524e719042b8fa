package dev.slipstream.bridge.cpu;

import dev.slipstream.bridge.CapturingProvider;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.FaultInjectingProvider;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.contract.DeviceContractTest;
import dev.slipstream.bridge.contract.DeviceFixture;
import org.junit.jupiter.api.extension.ExtendWith;

/** What a provider with graphs must do, held against the one that tests of graphs use. */
@ExtendWith(NothingNativeIsLeft.class)
class CapturingContractTest extends DeviceContractTest {
    private final CapturingProvider provider = new CapturingProvider(new CpuProvider());

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
