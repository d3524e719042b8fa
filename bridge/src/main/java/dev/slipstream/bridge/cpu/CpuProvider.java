package dev.slipstream.bridge.cpu;

import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.DeviceUnavailableException;
import java.util.List;

/** The CPU through ONNX Runtime. */
public final class CpuProvider implements DeviceProvider {
    @Override
    public String name() {
        return "cpu";
    }

    @Override
    public Availability availability() {
        return new Availability.Unavailable("not written yet", "wait");
    }

    @Override
    public List<DeviceSpec> list() {
        return List.of();
    }

    @Override
    public Device open(DeviceSpec spec) {
        throw new DeviceUnavailableException("not written yet");
    }
}
