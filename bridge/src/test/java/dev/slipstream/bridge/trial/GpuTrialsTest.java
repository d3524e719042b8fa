package dev.slipstream.bridge.trial;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.cuda.FakeGpus;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The trials, on the stand-in for the driver as far as they go there, and where there is no GPU. */
class GpuTrialsTest {
    @Test
    void engineAndMemoryTrialsPassOnTheStandIn() throws Exception {
        for (Trial trial : List.<Trial>of(EngineTrials::weights, EngineTrials::replay, EngineTrials::reopen,
                MemoryTrials::memory)) {
            try (FakeGpus gpus = FakeGpus.orSkip(1)) {
                gpus.driver().reset(1, 64 << 20);
                trial.run(new Machine(gpus.provider(), false), List.of());
            }
        }
    }

    @Test
    void copiesBetweenGpusAreTriedAndTheDriverDecides() {
        for (boolean possible : new boolean[] {false, true}) {
            try (FakeGpus gpus = FakeGpus.capturingPeerCopies(2)) {
                if (possible) {
                    gpus.driver().capturePeerCopies();
                }
                List<Device> devices = gpus.open(2);
                assertEquals(possible, MemoryTrials.captured(devices.getFirst(), devices.getLast()));
                devices.reversed().forEach(Device::close);
            }
        }
    }

    @Test
    void wrongValuesAreFoundOut() {
        assertThrows(AssertionError.class,
            () -> Machine.requireEqual("values", new float[] {1}, new float[] {Float.NaN}, 1));
        assertThrows(AssertionError.class, () -> Machine.requireSame("values", new float[] {1}, new float[] {2}));
    }

    @ParameterizedTest
    @ValueSource(strings = {"weights", "cancel"})
    void withoutADriverATrialSaysThatThereIsNoGpu(String name, @TempDir Path folder)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java")
            .toString(), "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            "-Dslipstream.cuda.driver=" + folder.resolve("libcuda.so.1"), "-cp",
            System.getProperty("java.class.path"), GpuTrials.class.getName(), name));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes());
        assertEquals(GpuTrials.NOTHING_HERE, process.waitFor(), said);
        assertTrue(said.contains(name + ": no GPU here"), said);
    }
}
