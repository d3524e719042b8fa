package dev.slipstream.bridge;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.stream.Collectors;

/**
 * The providers that are present, and the way to open their devices. Immutable; any thread may use it. Devices belong
 * to those who open them.
 */
public final class Devices {
    private final List<DeviceProvider> providers;

    private Devices(List<DeviceProvider> providers) {
        this.providers = List.copyOf(providers);
    }

    /** All providers that {@link ServiceLoader} finds, available or not. */
    public static Devices discover() {
        List<DeviceProvider> found = new ArrayList<>();
        ServiceLoader.load(DeviceProvider.class, Devices.class.getClassLoader()).forEach(found::add);
        return new Devices(found);
    }

    /** These providers and no others, in this order. */
    public static Devices of(DeviceProvider... providers) {
        return new Devices(List.of(providers));
    }

    /** All of them, available or not. */
    public List<DeviceProvider> providers() {
        return providers;
    }

    /**
     * Opens one device.
     *
     * @throws DeviceUnavailableException if the provider is unknown or cannot be used here, or has no such device
     */
    public Device open(DeviceSpec spec) {
        DeviceProvider provider = provider(spec).orElseThrow(() ->
            new DeviceUnavailableException("no device provider '" + spec.provider() + "'; there is "
                + providers.stream().map(DeviceProvider::name).collect(Collectors.joining(", "))));
        if (provider.availability() instanceof Availability.Unavailable absent) {
            throw new DeviceUnavailableException(spec + " cannot be used: " + absent.reason() + "; " + absent.remedy());
        }
        return provider.open(spec);
    }

    private Optional<DeviceProvider> provider(DeviceSpec spec) {
        return providers.stream().filter(provider -> provider.name().equals(spec.provider())).findFirst();
    }

    /** What such a device is, which need not be there; empty if its provider is unknown. */
    public Optional<Device.Traits> traits(DeviceSpec spec) {
        return provider(spec).map(provider -> provider.traits(spec));
    }

    /** What such a device runs on; empty if its provider is unknown, the device not there, or nothing known of it. */
    public Optional<DeviceProvider.Hardware> hardware(DeviceSpec spec) {
        return provider(spec).flatMap(provider -> provider.hardware(spec));
    }

    /**
     * Opens several devices; on a failure those already open are closed again.
     *
     * @throws DeviceUnavailableException as {@link #open(DeviceSpec)}
     */
    public List<Device> open(List<DeviceSpec> specs) {
        List<Device> opened = new ArrayList<>();
        try {
            for (DeviceSpec spec : specs) {
                opened.add(open(spec));
            }
            return List.copyOf(opened);
        } catch (RuntimeException failure) {
            for (Device device : opened.reversed()) {
                try {
                    device.close();
                } catch (RuntimeException second) {
                    failure.addSuppressed(second);
                }
            }
            throw failure;
        }
    }
}
