package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.slipstream.pipelines.cache.LatentCache;
import dev.slipstream.pipelines.model.folder.RandomModel;
import dev.slipstream.pipelines.model.folder.RandomModel.Family;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A process that goes on and on does not grow. It runs as the launcher of the command runs one. */
@Tag("slow")
@Timeout(3600)
class SoakTest {
    private static final int WINDOWS = 8;
    /** In which compiled code, glibc's heap and the old generation find their size: measured over 12 000. */
    private static final int SETTLING = 3;
    private static final double MOST_GROWTH = 1.03;
    private static final Path LAUNCHER = Path.of("../slipstream");
    private static final Pattern JAVA_OPTIONS = Pattern.compile("brief=\"(.+)\"");
    private static final Pattern MALLOC_SETTINGS = Pattern.compile("(MALLOC_\\w+)=\"\\$\\{\\w+:-(\\d+)}\"");

    @TempDir
    private Path folder;

    @Test
    void residentMemoryIsTheSameAfterThousandsOfRequestsOfSizesWhoseEnginesAreKept(TestReporter reporter)
        throws IOException, InterruptedException {
        requireFlat(WINDOWS, reporter, "6", "2");
    }

    @Test
    void residentMemoryIsTheSameAfterThousandsOfRequestsWhoseEnginesComeAndGo(TestReporter reporter)
        throws IOException, InterruptedException {
        requireFlat(WINDOWS, reporter, "12", "1");
    }

    @Test
    void residentMemoryIsTheSameAfterThousandsOfRequestsThatFillACacheOfLatents(TestReporter reporter,
            @TempDir Path latents) throws IOException, InterruptedException {
        requireFlat(10, reporter, latents.toString());
        try (LatentCache cache = new LatentCache(latents, Soak.MOST_LATENT_BYTES)) {
            LatentCache.Stats stats = cache.stats().get("default");
            reporter.publishEntry("cache", stats.toString());
            assertTrue(stats.hits() > 0 && stats.bytes() < Soak.MOST_LATENT_BYTES, stats::toString);
            // The rest is the index; of thousands of others most were evicted.
            assertTrue(stats.bytes() > Soak.MOST_LATENT_BYTES / 2, stats::toString);
        }
    }

    private void requireFlat(int windows, TestReporter reporter, String... what)
        throws IOException, InterruptedException {
        List<Long> medians = soak(windows, what);
        reporter.publishEntry("kB", medians.toString());
        assertTrue(medians.getLast() < MOST_GROWTH * medians.get(SETTLING - 1),
            "resident kB after each " + Soak.WINDOW + " requests: " + medians);
    }

    private List<Long> soak(int windows, String... what) throws IOException, InterruptedException {
        assumeTrue(Files.isReadable(Path.of("/proc/self/status")), "resident memory is read as Linux tells it");
        RandomModel.write(folder, Family.STABLE_DIFFUSION);
        String launcher = Files.readString(LAUNCHER);
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(only(JAVA_OPTIONS, launcher).group(1).split(" ")));
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
            Soak.class.getName(), folder.toString(), Integer.toString(windows)));
        command.addAll(List.of(what));
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
        MALLOC_SETTINGS.matcher(launcher).results()
            .forEach(setting -> builder.environment().put(setting.group(1), setting.group(2)));
        Process process = builder.start();
        List<Long> medians = process.inputReader().lines().map(Long::valueOf).toList();
        assertEquals(0, process.waitFor());
        assertEquals(windows, medians.size());
        return medians;
    }

    private static MatchResult only(Pattern pattern, String text) {
        List<MatchResult> found = pattern.matcher(text).results().toList();
        assertEquals(1, found.size(), pattern.pattern());
        return found.getFirst();
    }
}
