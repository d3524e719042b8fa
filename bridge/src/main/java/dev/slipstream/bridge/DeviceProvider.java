package dev.slipstream.bridge;

import java.util.List;

/**
 * A kind of device: the service that {@link Devices} finds. Implementations have a public constructor without
 * arguments that does no work and never fails, also where the hardware or its libraries are absent.
 */
public interface DeviceProvider {
    /** What {@link DeviceSpec#provider} calls it, for example {@code cpu}. */
    String name();

    /** Whether devices of this kind can be opened here, or why not. Cheap after the first call. */
    Availability availability();

    /** The devices that this machine has when each is used whole; empty where the provider is not available. */
    List<DeviceSpec> list();

    /** {@link Device#usesOnnxRuntime} of its devices. Never fails. */
    default boolean usesOnnxRuntime() {
        return false;
    }

    /**
     * Opens a device. Each call makes a new one, which the caller closes.
     *
     * @throws DeviceUnavailableException if there is no such device here; the message says why and what to do
     */
    Device open(DeviceSpec spec);
}
