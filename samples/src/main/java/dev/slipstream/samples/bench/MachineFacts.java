package dev.slipstream.samples.bench;

import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import java.lang.management.ManagementFactory;
import java.time.LocalDate;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/** Where numbers come from, in one line. */
final class MachineFacts {
    private MachineFacts() {
    }

    /** @param devices that are measured; the CPU's if there are none */
    static String line(List<String> devices) {
        Set<String> used = devices.isEmpty() ? Set.of("cpu")
            : devices.stream().map(device -> DeviceSpec.parse(device).provider()).collect(Collectors.toSet());
        String runtimes = Devices.discover().providers().stream().filter(provider -> used.contains(provider.name()))
            .map(DeviceProvider::availability)
            .map(availability -> availability instanceof Availability.Available(String detail) ? detail : "no provider")
            .collect(Collectors.joining(", "));
        return String.format(Locale.ROOT, "%s, %s %s, %d processors, load average %s, Java %s, %s", LocalDate.now(),
            System.getProperty("os.name"), System.getProperty("os.arch"), Runtime.getRuntime().availableProcessors(),
            load(), Runtime.version(), runtimes);
    }

    /** Processes that want a processor, over the last minute. */
    static String load() {
        double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
        return load < 0 ? "unknown" : String.format(Locale.ROOT, "%.1f", load);
    }
}
