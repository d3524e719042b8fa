package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.DeviceSpec;

/** Two GPUs. */
class FakeCudaTwoDevicesTest extends FakeCudaContract {
    @Override
    protected DeviceSpec otherSpec() {
        return DeviceSpec.parse("cuda:1");
    }
}
