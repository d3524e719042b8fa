package dev.slipstream.bridge;

import java.util.List;

/**
 * A provider that hands out another provider's devices and lets calls to them fail as {@link #faults} says, so that a
 * test can break everything once and see that nothing leaks. While nothing fails, its devices behave as the real ones.
 */
public final class FaultInjectingProvider implements DeviceProvider {
    private final DeviceProvider real;
    private final Faults faults = new Faults();

    public FaultInjectingProvider(DeviceProvider real) {
        this.real = real;
    }

    public Faults faults() {
        return faults;
    }

    /** The real stream behind one of ours. */
    public static Stream unwrap(Stream stream) {
        return ((FaultyStream) stream).real();
    }

    @Override
    public String name() {
        return real.name();
    }

    @Override
    public Availability availability() {
        return real.availability();
    }

    @Override
    public List<DeviceSpec> list() {
        return real.list();
    }

    @Override
    public boolean usesOnnxRuntime() {
        return real.usesOnnxRuntime();
    }

    @Override
    public Device open(DeviceSpec spec) {
        faults.next(Faults.Call.OPEN, spec.toString());
        return new FaultyDevice(real.open(spec), faults);
    }
}
