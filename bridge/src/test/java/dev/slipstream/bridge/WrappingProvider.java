package dev.slipstream.bridge;

import java.util.List;
import java.util.Optional;

/** A provider that is like another one but for what it overrides, such as a wrapper around devices. */
public abstract class WrappingProvider implements DeviceProvider {
    private final DeviceProvider real;

    protected WrappingProvider(DeviceProvider real) {
        this.real = real;
    }

    @Override
    public final String name() {
        return real.name();
    }

    @Override
    public final Availability availability() {
        return real.availability();
    }

    @Override
    public final List<DeviceSpec> list() {
        return real.list();
    }

    @Override
    public final Device.Traits traits(DeviceSpec spec) {
        return real.traits(spec);
    }

    @Override
    public Optional<Hardware> hardware(DeviceSpec spec) {
        return real.hardware(spec);
    }

    @Override
    public Device open(DeviceSpec spec) {
        return real.open(spec);
    }
}
