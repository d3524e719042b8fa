package dev.slipstream.bridge.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Processes that end in the middle of writing a file. */
@Timeout(120)
class KilledWriterTest {
    @TempDir
    private Path folder;

    /** Begins to write, says so, and never ends. */
    static final class Writer {
        public static void main(String[] args) throws IOException {
            AtomicFile.write(Path.of(args[0]), channel -> {
                channel.write(ByteBuffer.wrap(new byte[1000]));
                System.out.println("writing");
                while (true) {
                    Thread.onSpinWait();
                }
            });
        }
    }

    private Process writer(Path file) throws IOException {
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
            System.getProperty("java.class.path"), Writer.class.getName(), file.toString()).start();
        BufferedReader said = process.inputReader();
        assertEquals("writing", said.readLine());
        return process;
    }

    private List<String> names() throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void whoIsToldToEndLeavesNothing() throws IOException, InterruptedException {
        assumeTrue(File.separatorChar == '/', "ending a process gently needs POSIX signals");
        Process process = writer(folder.resolve("picture.png"));
        process.destroy();
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertEquals(143, process.exitValue());
        assertEquals(List.of(), names());
    }

    @Test
    void whatTheKilledHaveLeftIsSweptAndWhatTheLivingWriteIsNot() throws IOException, InterruptedException {
        Path file = folder.resolve("picture.png");
        Process living = writer(file);
        try {
            Process killed = writer(file);
            assertEquals(2, names().size());
            killed.destroyForcibly().waitFor();
            Path other = Files.createFile(folder.resolve(".x.png.00000000-0000-0000-0000-000000000000.tmp"));
            AtomicFile.checkWritable(file);
            assertEquals(2, names().size(), "what lives, and what is of another file: " + names());
            assertTrue(Files.exists(other));
        } finally {
            living.destroyForcibly().waitFor();
        }
        AtomicFile.checkWritable(file);
        assertEquals(1, names().size());
    }
}
