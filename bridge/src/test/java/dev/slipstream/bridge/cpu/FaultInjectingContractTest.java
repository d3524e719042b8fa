package dev.slipstream.bridge.cpu;

import dev.slipstream.bridge.DeviceContractTest;
import dev.slipstream.bridge.DeviceFixture;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.FaultInjectingProvider;
import dev.slipstream.bridge.Stream;

/** While nothing fails, nobody can tell a fault-injecting provider from a real one. */
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
