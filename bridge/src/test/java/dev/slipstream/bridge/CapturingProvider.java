package dev.slipstream.bridge;

/**
 * A provider that hands out another provider's devices and lets their streams capture graphs, launched as a CUDA graph
 * is but one call at a time: so what uses graphs can be tested without a GPU. Its calls can fail, as {@link #faults}
 * says.
 */
public final class CapturingProvider extends WrappingProvider {
    private final FaultInjectingProvider provider;

    public CapturingProvider(DeviceProvider real) {
        this(new FaultInjectingProvider(new Capturers(real)));
    }

    private CapturingProvider(FaultInjectingProvider provider) {
        super(provider);
        this.provider = provider;
    }

    public Faults faults() {
        return provider.faults();
    }

    /** What the fault-injecting provider wraps, which makes one device of the stream's and the buffer's again. */
    private static final class Capturers extends WrappingProvider {
        Capturers(DeviceProvider real) {
            super(real);
        }

        @Override
        public Device open(DeviceSpec spec) {
            return new CapturingDevice(super.open(spec));
        }
    }
}
