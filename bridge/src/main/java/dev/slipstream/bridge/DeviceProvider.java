package dev.slipstream.bridge;

import java.util.List;
import java.util.Optional;

/**
 * A kind of device: the service that {@link Devices} finds. Implementations have a public constructor without
 * arguments that does no work and never fails, also where the hardware or its libraries are absent. Any thread may call
 * it; {@link Devices} does on the thread that calls that.
 */
public interface DeviceProvider {
    /** What {@link DeviceSpec#provider} calls it, for example {@code cpu}. */
    String name();

    /** Whether devices of this kind can be opened here, or why not. Cheap after the first call. */
    Availability availability();

    /** The devices that this machine has when each is used whole; empty where the provider is not available. */
    List<DeviceSpec> list();

    /** What such a device is, or would be if it were there. Never fails. */
    Device.Traits traits(DeviceSpec spec);

    /**
     * What a device runs on.
     *
     * @param name as its driver calls it, for example {@code NVIDIA H200}
     * @param memoryBytes that it has in all
     */
    record Hardware(String name, long memoryBytes) {
    }

    /** What such a device runs on, found out without opening it; empty where nobody knows, or it is not there. */
    default Optional<Hardware> hardware(DeviceSpec spec) {
        return Optional.empty();
    }

    /**
     * Opens a device. Each call makes a new one, which the caller closes.
     *
     * @throws DeviceUnavailableException if there is no such device here; the message says why and what to do
     */
    Device open(DeviceSpec spec);
}
