package dev.slipstream.bridge.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.DeviceUnavailableException;
import dev.slipstream.bridge.Devices;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CpuProviderTest {
    private static final Path STATUS = Path.of("/proc/self/status");

    private final int cores = Runtime.getRuntime().availableProcessors();
    private final CpuProvider provider = new CpuProvider();

    @Test
    void itIsFoundAsAServiceAndAvailable() {
        Devices devices = Devices.discover();
        assertTrue(devices.providers().stream().anyMatch(CpuProvider.class::isInstance));
        Availability.Available available =
            assertInstanceOf(Availability.Available.class, provider.availability());
        assertTrue(available.detail().startsWith("ONNX Runtime 1."), available.detail());
        devices.open(DeviceSpec.parse("cpu")).close();
    }

    @Test
    void theMachineIsOneDeviceWithAllCores() {
        assertEquals(List.of(new DeviceSpec("cpu", Integer.toString(cores))), provider.list());
        try (Device device = provider.open(provider.list().getFirst())) {
            assertTrue(device.description().startsWith(cores + " thread"), device.description());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-1", "1000000", "all", "1.5", "99999999999", "1:fast", "1:", "1:spin",
        "1:spin=maybe", "1:spin=ON", "1:cores=", "1:cores=1-0", "1:cores=0,1", "1:cores=-1", "1:cores=0-1-2",
        "1:cores=0-99999"})
    void aSelectorThatIsNoPossibleNumberOfThreadsIsRefusedWithTheRange(String selector) {
        String message = assertThrows(DeviceUnavailableException.class,
            () -> provider.open(new DeviceSpec("cpu", selector))).getMessage();
        assertTrue(message.contains("cpu:" + selector) && message.contains("from 1 to " + cores), message);
    }

    @Test
    void optionsOfASelectorMayStandInAnyOrder() {
        CpuShare share = CpuShare.parse("3:cores=0-2+5:spin=off").orElseThrow();
        assertEquals(share, CpuShare.parse("3:spin=off:cores=5+0+1-2").orElseThrow());
        assertEquals(BitSet.valueOf(new long[] {0b100111}), share.cores());
        assertEquals(new CpuShare(3, CpuShare.Spin.OFF, share.cores()), share);
        assertEquals(CpuShare.of(1), CpuShare.parse("").orElseThrow());
    }

    @Test
    void coresThatAreNotThereOrTooFewAreRefused() {
        assumeTrue(Files.isDirectory(Path.of("/proc/self")), "this system does not bind threads to cores");
        String absent = assertThrows(DeviceUnavailableException.class,
            () -> provider.open(DeviceSpec.parse("cpu:1:cores=4000"))).getMessage();
        assertTrue(absent.startsWith("cpu:1:cores=4000 cannot be used: ") && absent.contains("begin at 0"), absent);
        assumeTrue(cores > 1, "one core");
        String few = assertThrows(DeviceUnavailableException.class,
            () -> provider.open(DeviceSpec.parse("cpu:2:cores=0"))).getMessage();
        assertTrue(few.contains("more threads than cores"), few);
    }

    @Test
    void coresThatThisProcessMayUseAreTaken() throws IOException {
        assumeTrue(Files.isReadable(STATUS), "this system does not bind threads to cores");
        String allowed = Files.readAllLines(STATUS).stream().filter(line -> line.startsWith("Cpus_allowed_list:"))
            .findFirst().orElseThrow().replaceAll("\\D*(\\d+).*", "$1");
        try (Device device = provider.open(DeviceSpec.parse("cpu:1:cores=" + allowed))) {
            assertTrue(device.description().startsWith("1 thread of " + cores), device.description());
        }
        // One that is not there beside it, in the same byte where the machine is small.
        int absent = Math.max(7, cores);
        assertThrows(DeviceUnavailableException.class,
            () -> provider.open(DeviceSpec.parse("cpu:1:cores=" + allowed + "+" + absent + "-" + (absent + 1))));
    }

    @Test
    void aRangeOfCoresMayBeOneAndEndsAtTheLastOneThatSystemsCount() {
        assertEquals(BitSet.valueOf(new long[] {0b100}), CpuShare.parse("1:cores=2-2").orElseThrow().cores());
        assertEquals(Cores.MOST - 1, CpuShare.parse("1:cores=4095").orElseThrow().cores().nextSetBit(0));
        assertTrue(CpuShare.parse("1:cores=4096").isEmpty());
    }

    @Test
    void devicesOfOtherProvidersAreRefused() {
        assertThrows(DeviceUnavailableException.class, () -> provider.open(DeviceSpec.parse("cuda:0")));
    }

    @Test
    void namesAreUniqueAmongOpenDevicesAndUsedAgain() {
        Device zero = provider.open(DeviceSpec.parse("cpu"));
        Device one = provider.open(DeviceSpec.parse("cpu"));
        assertEquals(List.of("cpu:0", "cpu:1"), List.of(zero.name(), one.name()));
        zero.close();
        zero.close();
        Device again = provider.open(DeviceSpec.parse("cpu"));
        assertEquals("cpu:0", again.name());
        again.close();
        one.close();
    }

    /** In a Java of its own, as a library that was loaded stays loaded. */
    @Test
    void aLibraryThatDoesNotLoadIsExplained(@TempDir Path folder) throws IOException, InterruptedException {
        Process java = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp", System.getProperty("java.class.path"), "-Donnxruntime.native.path=" + folder,
            UnavailableProvider.class.getName()).redirectErrorStream(true).start();
        String output = new String(java.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, java.waitFor(), output);
        assertTrue(output.contains("does not load") && output.contains("java.io.tmpdir"), output);
        assertTrue(output.contains("cpu cannot be used"), output);
    }

    /** Prints what the provider says; ends with an error if something escapes. */
    static final class UnavailableProvider {
        public static void main(String[] arguments) {
            CpuProvider provider = new CpuProvider();
            System.out.println(provider.availability());
            System.out.println(provider.list());
            for (int i = 0; i < 2; i++) {
                try {
                    provider.open(DeviceSpec.parse("cpu"));
                } catch (DeviceUnavailableException expected) {
                    System.out.println(expected.getMessage());
                }
            }
        }
    }
}
