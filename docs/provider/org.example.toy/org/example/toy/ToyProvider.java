package org.example.toy;

import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.DeviceUnavailableException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Devices {@code toy:0}, {@code toy:1} and so on, as many as are opened. */
public final class ToyProvider implements DeviceProvider {
    private final AtomicInteger opened = new AtomicInteger();

    @Override
    public String name() {
        return "toy";
    }

    @Override
    public Availability availability() {
        return new Availability.Available("toys");
    }

    @Override
    public List<DeviceSpec> list() {
        return List.of(new DeviceSpec(name(), ""));
    }

    @Override
    public Device.Traits traits(DeviceSpec spec) {
        return Device.Traits.plain("toy");
    }

    @Override
    public Device open(DeviceSpec spec) {
        if (!spec.provider().equals(name()) || !spec.selector().isEmpty()) {
            throw new DeviceUnavailableException("there is no device " + spec + "; there is " + name());
        }
        return new ToyDevice(name() + ":" + opened.getAndIncrement(), traits(spec));
    }
}
