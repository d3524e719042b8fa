package dev.slipstream.bridge;

/** A provider whose devices ask for graphs of standard operators, as GPUs do: so its bits are those of theirs. */
public final class StandardGraphsProvider extends WrappingProvider {
    public StandardGraphsProvider(DeviceProvider real) {
        super(real);
    }

    @Override
    public Device open(DeviceSpec spec) {
        return new WrappingDevice(super.open(spec)) {
            @Override
            public Device.Traits traits() {
                Device.Traits it = super.traits();
                return new Device.Traits(it.hardware(), Device.Traits.Dialect.ONNX, it.types(),
                    it.copiesBesideComputing(), it.readsInPlace(), it.capture(), it.storesEngines());
            }
        };
    }
}
