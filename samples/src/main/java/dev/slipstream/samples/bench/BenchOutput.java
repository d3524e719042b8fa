package dev.slipstream.samples.bench;

import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.file.AtomicFile;
import dev.slipstream.samples.options.ResultFiles;
import dev.slipstream.samples.terminal.Json;
import dev.slipstream.samples.terminal.Table;
import dev.slipstream.samples.terminal.Terminal;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/** What all benchmarks print beside their tables: a line about the machine, and all numbers as a JSON file. */
final class BenchOutput {
    private final Terminal terminal;
    private final Path json;

    /** @param json the file, which must be writable; null for none */
    BenchOutput(Terminal terminal, Path json) {
        if (json != null) {
            ResultFiles.checkWritable("--json", List.of(json));
        }
        this.terminal = terminal;
        this.json = json;
    }

    /** Prints a line about this machine. @param devices that are measured; the CPU's if there are none */
    void printMachine(List<String> devices) {
        Set<String> used = devices.isEmpty() ? Set.of(DeviceSpec.HOST.provider())
            : devices.stream().map(device -> DeviceSpec.parse(device).provider()).collect(Collectors.toSet());
        String runtimes = Devices.discover().providers().stream().filter(provider -> used.contains(provider.name()))
            .map(DeviceProvider::availability)
            .map(availability -> availability instanceof Availability.Available(String detail) ? detail : "no provider")
            .collect(Collectors.joining(", "));
        terminal.out().println(String.format(Locale.ROOT, "%s, %s %s, %d processors, load average %s, Java %s, %s",
            LocalDate.now(), System.getProperty("os.name"), System.getProperty("os.arch"),
            Runtime.getRuntime().availableProcessors(), load(), Runtime.version(), runtimes));
    }

    /** The load average: processes that need a processor, over the last minute. */
    static String load() {
        double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
        return load < 0 ? "unknown" : Table.number("%.1f", load);
    }

    /** Writes the file, if there is one, and says so. @param rows records, whose names become snake case */
    void write(List<? extends Record> rows) throws IOException {
        if (json != null) {
            AtomicFile.write(json, Json.snakeCase(rows) + "\n");
            terminal.out().println("numbers: " + json);
        }
    }
}
