package dev.slipstream.bridge.cuda.driver;

import dev.slipstream.bridge.DeviceLostException;

/**
 * Whether a device still answers. It is lost by an error that CUDA keeps for the rest of a context's life, or because
 * it was given up. Any thread may use it.
 */
public final class DeviceHealth {
    private final String device;
    private volatile DeviceLostException lost;
    private volatile boolean givenUp;

    DeviceHealth(String device) {
        this.device = device;
    }

    /** @throws DeviceLostException if the device is lost; each caller gets one of its own */
    public void requireUsable() {
        DeviceLostException why = lost;
        if (why != null) {
            throw new DeviceLostException(why.getMessage(), why);
        }
    }

    public boolean isLost() {
        return lost != null;
    }

    /** Whether work may be on it that never ends, so that nothing may be waited for or freed. */
    public boolean isGivenUp() {
        return givenUp;
    }

    /** The first reason stays. */
    void lose(DeviceLostException why) {
        synchronized (this) {
            if (lost == null) {
                lost = why;
            }
        }
    }

    public void giveUp(String reason) {
        givenUp = true;
        lose(new DeviceLostException(device + " was given up: " + reason));
    }
}
