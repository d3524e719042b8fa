package dev.slipstream.bridge.provider;

import dev.slipstream.bridge.DeviceLostException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Whether a device still answers. It is lost by an error from which it does not recover, or because it was given up.
 * Any thread may use it.
 */
public final class DeviceHealth {
    private final String device;
    private volatile @Nullable DeviceLostException lost;
    private volatile boolean givenUp;

    /** @param device what errors call it */
    public DeviceHealth(String device) {
        this.device = device;
    }

    /** @throws DeviceLostException if the device is lost; each caller gets one of its own */
    public void requireUsable() {
        DeviceLostException why = lost;
        if (why != null) {
            throw new DeviceLostException(Failures.reason(why), why);
        }
    }

    public boolean isLost() {
        return lost != null;
    }

    /** Why the device is lost, if it is. */
    public Optional<DeviceLostException> reason() {
        return Optional.ofNullable(lost);
    }

    /** Whether work may be on it that never ends, so that nothing may be waited for or freed. */
    public boolean isGivenUp() {
        return givenUp;
    }

    /** Notes that the device is lost. The first reason stays. */
    public synchronized void lose(DeviceLostException why) {
        if (lost == null) {
            lost = why;
        }
    }

    void giveUp(String reason) {
        givenUp = true;
        lose(new DeviceLostException(device + " was given up: " + reason));
    }
}
