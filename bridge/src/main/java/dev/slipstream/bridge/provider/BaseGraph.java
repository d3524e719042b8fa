package dev.slipstream.bridge.provider;

import dev.slipstream.bridge.CapturedGraph;

/** A captured graph that its device knows while it is open. */
public abstract class BaseGraph<D extends BaseDevice> extends DeviceObject<D> implements CapturedGraph {
    protected BaseGraph(D device) {
        super(device);
    }

    @Override
    public final String toString() {
        return "captured graph";
    }
}
