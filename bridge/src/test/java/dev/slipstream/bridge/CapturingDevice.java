package dev.slipstream.bridge;

import java.util.concurrent.atomic.AtomicInteger;

/** A device whose streams capture. All else is that of the real device. */
final class CapturingDevice extends WrappingDevice {
    private final AtomicInteger graphs = new AtomicInteger();

    CapturingDevice(Device real) {
        super(real);
    }

    /** Its graphs that are open. */
    AtomicInteger graphs() {
        return graphs;
    }

    @Override
    public Stream newStream(String streamName) {
        return new CapturingStream(super.newStream(streamName), this);
    }

    @Override
    public Device.Traits traits() {
        Device.Traits it = super.traits();
        return new Device.Traits(it.hardware(), it.dialect(), it.types(), it.copiesBesideComputing(), it.readsInPlace(),
            Device.Traits.Capture.PEER_COPIES, it.storesEngines());
    }

    @Override
    public int liveObjects() {
        return super.liveObjects() + graphs.get();
    }

    @Override
    public void close() {
        graphs.set(0);
        super.close();
    }
}
