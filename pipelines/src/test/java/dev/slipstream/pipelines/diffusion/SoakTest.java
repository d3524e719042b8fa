package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.slipstream.pipelines.model.RandomModel;
import dev.slipstream.pipelines.model.RandomModel.Family;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A process that goes on and on does not grow. It runs as the launcher of the command runs one. */
@Tag("slow")
@Timeout(3600)
class SoakTest {
    private static final int WINDOWS = 11;
    private static final double MOST_GROWTH = 1.03;

    @TempDir
    private Path folder;

    @Test
    void residentMemoryIsTheSameAfterThousandsOfRequestsOfSizesWhoseEnginesAreKept(TestReporter reporter)
        throws IOException, InterruptedException {
        List<Long> medians = soak(WINDOWS);
        reporter.publishEntry("kB", medians.toString());
        // The first window is the start.
        assertTrue(medians.getLast() < MOST_GROWTH * medians.get(1), growth(medians));
    }

    private static String growth(List<Long> medians) {
        return "resident kB, medians of " + Soak.WINDOW + " requests each: " + medians;
    }

    private List<Long> soak(int windows) throws IOException, InterruptedException {
        assumeTrue(Files.isReadable(Path.of("/proc/self/status")), "resident memory is read as Linux tells it");
        RandomModel.write(folder, Family.STABLE_DIFFUSION);
        List<String> command = new ArrayList<>(List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED"));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Soak.class.getName(), folder.toString(),
            Integer.toString(windows), "0"));
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        List<Long> medians = process.inputReader().lines().map(Long::valueOf).toList();
        assertEquals(0, process.waitFor());
        assertEquals(windows, medians.size());
        return medians;
    }
}
