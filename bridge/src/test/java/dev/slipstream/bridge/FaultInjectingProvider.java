package dev.slipstream.bridge;

/**
 * A provider that hands out another provider's devices and lets calls to them fail as {@link #faults} says, so that a
 * test can break everything once and see that nothing leaks. While nothing fails, its devices behave as the real ones.
 */
public final class FaultInjectingProvider extends WrappingProvider {
    private final Faults faults = new Faults();

    public FaultInjectingProvider(DeviceProvider real) {
        super(real);
    }

    public Faults faults() {
        return faults;
    }

    /** The real stream behind one of ours. */
    public static Stream unwrap(Stream stream) {
        return ((FaultyStream) stream).real();
    }

    @Override
    public Device open(DeviceSpec spec) {
        faults.next(Faults.Call.OPEN, spec.toString());
        return new FaultyDevice(super.open(spec), faults);
    }
}
