package dev.slipstream.bridge.cpu;

import com.sun.management.OperatingSystemMXBean;
import dev.slipstream.bridge.Device;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/** What the machine, or the container that this runs in, has. */
final class MachineMemory {
    private static final Path LINUX = Path.of("/proc/meminfo");

    private MachineMemory() {
    }

    /** Bytes of memory. The system may promise more than that, and end the process when the promise is called in. */
    static long bytes() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
            ? system.getTotalMemorySize() : Long.MAX_VALUE;
    }

    /** Memory now. Free is also what the system only uses as a cache for files, where it tells (Linux). */
    static Device.Memory now() {
        return now(LINUX);
    }

    /** @param meminfo a file like Linux's {@code /proc/meminfo}, which need not exist */
    static Device.Memory now(Path meminfo) {
        long total = bytes();
        long free = ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
            ? system.getFreeMemorySize() : total;
        return new Device.Memory(Math.min(available(meminfo).orElse(free), total), total);
    }

    private static OptionalLong available(Path meminfo) {
        if (!Files.isReadable(meminfo)) {
            return OptionalLong.empty();
        }
        try {
            return Files.readAllLines(meminfo).stream().filter(line -> line.matches("MemAvailable:\\s+\\d+ kB"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024).findFirst();
        } catch (IOException unreadable) {
            return OptionalLong.empty();
        }
    }
}
