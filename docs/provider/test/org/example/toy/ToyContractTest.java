package org.example.toy;

import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.contract.DeviceContractTest;
import dev.slipstream.bridge.contract.DeviceFixture.Gate;
import java.util.concurrent.CountDownLatch;

class ToyContractTest extends DeviceContractTest {
    private final DeviceProvider provider = new ToyProvider();

    @Override
    protected DeviceProvider provider() {
        return provider;
    }

    @Override
    protected DeviceSpec spec() {
        return DeviceSpec.parse("toy");
    }

    @Override
    protected Gate block(Stream stream) {
        CountDownLatch gate = new CountDownLatch(1);
        ((ToyStream) stream).hold(gate);
        return gate::countDown;
    }
}
