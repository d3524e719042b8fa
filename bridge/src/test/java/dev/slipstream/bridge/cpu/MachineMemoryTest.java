package dev.slipstream.bridge.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.OperatingSystemMXBean;
import dev.slipstream.bridge.Device;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Free memory is the line that Linux means for it, in bytes; elsewhere it is what the Java runtime says. */
class MachineMemoryTest {
    private static final Path LINUX = Path.of("/proc/meminfo");

    private final OperatingSystemMXBean system =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    @TempDir
    private Path folder;

    @Test
    void freeIsWhatIsAvailableInBytes() throws IOException {
        assertEquals(new Device.Memory(3000 * 1024, system.getTotalMemorySize()), read("""
            MemTotal:       99999999 kB
            MemFree:            2000 kB
            MemAvailable:       3000 kB
            Buffers:            4000 kB
            SwapFree:           5000 kB
            """));
    }

    @Test
    void noMoreIsFreeThanThisProcessMayHave() throws IOException {
        long total = system.getTotalMemorySize();
        assertEquals(new Device.Memory(total, total), read("MemAvailable: " + total / 1024 * 2 + " kB\n"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "MemFree: 2000 kB\n", "MemAvailable: 2000 MB\n", "NotMemAvailable: 2000 kB\n"})
    void withoutThatLineJavasAnswerCounts(String meminfo) throws IOException {
        assertIsJavas(read(meminfo));
    }

    @Test
    void withoutAReadableFileJavasAnswerCounts() {
        assertIsJavas(MachineMemory.now(folder.resolve("missing")));
        assertIsJavas(MachineMemory.now(folder));
    }

    /** What is available now is not what it was a moment ago, so a quarter of the machine is let pass. */
    @Test
    void onLinuxItIsReadFromTheSystem() throws IOException {
        assumeTrue(Files.isReadable(LINUX), "this system is not Linux");
        long available = Files.readAllLines(LINUX).stream().filter(line -> line.startsWith("MemAvailable:"))
            .mapToLong(line -> Long.parseLong(line.split("\\s+")[1]) << 10).findFirst().orElseThrow();
        long expected = Math.min(available, system.getTotalMemorySize());
        Device.Memory now = MachineMemory.now();
        assertTrue(Math.abs(now.freeBytes() - expected) < now.totalBytes() / 4, now + " where " + expected
            + " bytes are available");
    }

    private Device.Memory read(String meminfo) throws IOException {
        return MachineMemory.now(Files.writeString(folder.resolve("meminfo"), meminfo));
    }

    private void assertIsJavas(Device.Memory memory) {
        assertEquals(system.getTotalMemorySize(), memory.totalBytes());
        assertTrue(memory.freeBytes() > 10L << 20 && memory.freeBytes() <= memory.totalBytes(), memory.toString());
    }
}
