package dev.slipstream.bridge.provider;

import dev.slipstream.bridge.DeviceLostException;

/** What a device is to the objects that it made. */
public interface Owner {
    OpenObjects openObjects();

    /** @throws DeviceLostException if the device is lost or was given up */
    void requireUsable();

    /** Lets an object that was just closed free what it holds, now or, after the device was given up, maybe never. */
    void free(DeviceObject<?> closed);
}
