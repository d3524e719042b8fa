package dev.slipstream.bridge;

import java.util.List;
import java.util.Optional;

/** A provider that hands out another provider's devices in a wrapper, and is like it in all else. */
abstract class WrappingProvider implements DeviceProvider {
    private final DeviceProvider real;

    WrappingProvider(DeviceProvider real) {
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
    public final Optional<Hardware> hardware(DeviceSpec spec) {
        return real.hardware(spec);
    }

    @Override
    public Device open(DeviceSpec spec) {
        return real.open(spec);
    }
}
