package dev.slipstream.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command in a process of its own, told to end in the middle of its work. */
class CancellationTest {
    @TempDir
    private Path folder;

    @Test
    void aProcessThatIsToldToEndLeavesNothingHalfWritten() throws IOException, InterruptedException {
        assumeTrue(File.separatorChar == '/', "ending a process gently needs POSIX signals");
        Path complaints = folder.resolve("complaints.txt");
        Path pictures = Files.createDirectory(folder.resolve("pictures"));
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"), Main.class.getName(),
            "generate", "a red star", "--model", CommandRun.MODEL.toAbsolutePath().toString(), "--steps", "1000",
            "--preview", "10", "--devices", "cpu:1", "--count", "100", "--output",
            pictures.resolve("picture.png").toString())
            .redirectError(complaints.toFile()).redirectOutput(folder.resolve("out.txt").toFile()).start();
        try (WatchService watch = folder.getFileSystem().newWatchService()) {
            pictures.register(watch, StandardWatchEventKinds.ENTRY_CREATE);
            while (names(pictures).stream().noneMatch(name -> name.endsWith(".preview.png"))) {
                WatchKey key = watch.poll(2, TimeUnit.MINUTES);
                assertNotNull(key, "no preview came: " + Files.readString(complaints));
                key.pollEvents();
                key.reset();
            }
            process.destroy();
            assertTrue(process.waitFor(2, TimeUnit.MINUTES));
        } finally {
            process.destroyForcibly();
        }
        // 128 and the number of SIGTERM.
        assertEquals(143, process.exitValue());
        assertEquals("slipstream: cancelled; no file is left half-written", Files.readAllLines(complaints).getLast());
        assertTrue(names(pictures).stream().allMatch(name -> name.endsWith(".png")), names(pictures).toString());
        for (String name : names(pictures)) {
            assertNotNull(ImageIO.read(pictures.resolve(name).toFile()), name);
        }
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(entry -> entry.getFileName().toString()).toList();
        }
    }
}
