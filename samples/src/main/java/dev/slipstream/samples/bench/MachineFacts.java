package dev.slipstream.samples.bench;

import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.Devices;
import java.lang.management.ManagementFactory;
import java.time.LocalDate;
import java.util.Locale;

/** Where numbers come from, in one line. */
final class MachineFacts {
    private MachineFacts() {
    }

    static String line() {
        String runtime = Devices.discover().providers().stream().filter(provider -> provider.name().equals("cpu"))
            .map(DeviceProvider::availability)
            .map(availability -> availability instanceof Availability.Available(String detail) ? detail : "no provider")
            .findFirst().orElse("no provider");
        return String.format(Locale.ROOT, "%s, %s %s, %d processors, load average %s, Java %s, %s", LocalDate.now(),
            System.getProperty("os.name"), System.getProperty("os.arch"), Runtime.getRuntime().availableProcessors(),
            load(), Runtime.version(), runtime);
    }

    /** Processes that want a processor, over the last minute. */
    static String load() {
        double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
        return load < 0 ? "unknown" : String.format(Locale.ROOT, "%.1f", load);
    }
}
