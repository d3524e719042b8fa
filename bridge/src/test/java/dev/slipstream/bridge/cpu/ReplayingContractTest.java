package dev.slipstream.bridge.cpu;

import dev.slipstream.bridge.DeviceContractTest;
import dev.slipstream.bridge.DeviceFixture;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.FaultInjectingProvider;
import dev.slipstream.bridge.ReplayingProvider;
import dev.slipstream.bridge.Stream;

/** What a provider with recordings must do, held against the one that tests of recordings use. */
class ReplayingContractTest extends DeviceContractTest {
    private final ReplayingProvider provider = new ReplayingProvider(new CpuProvider());

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
