package dev.slipstream.bridge;

import java.util.List;

/**
 * A provider that hands out another provider's devices and lets their streams record and replay, as a CUDA graph does
 * but one call at a time: so what uses recordings can be tested without a GPU. Its calls can fail, as {@link #faults}
 * says.
 */
public final class ReplayingProvider implements DeviceProvider {
    private final FaultInjectingProvider provider;

    public ReplayingProvider(DeviceProvider real) {
        this.provider = new FaultInjectingProvider(new Recorders(real));
    }

    public Faults faults() {
        return provider.faults();
    }

    @Override
    public String name() {
        return provider.name();
    }

    @Override
    public Availability availability() {
        return provider.availability();
    }

    @Override
    public List<DeviceSpec> list() {
        return provider.list();
    }

    @Override
    public boolean usesOnnxRuntime() {
        return provider.usesOnnxRuntime();
    }

    @Override
    public Device open(DeviceSpec spec) {
        return provider.open(spec);
    }

    /** What the fault-injecting provider wraps, which makes one device of the stream's and the buffer's again. */
    private record Recorders(DeviceProvider real) implements DeviceProvider {
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
            return new RecordingDevice(real.open(spec));
        }
    }
}
