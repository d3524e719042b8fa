package dev.slipstream.bridge.tensorrt.library;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Processes that end while TensorRT is loaded, in virtual machines of their own, with a library that logs late. */
class ProcessEndTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({"10, 0, return, 0", "10, 0, exit, 3", "11, 4, return, 0", "11, 4, exit, 3"})
    void messagesWhileTheProcessEndsAreLostAndTheExitCodeIsNot(int major, int logSlot, String way, int code)
            throws IOException, InterruptedException {
        Path library = folder.resolve("libnvinfer.so." + major);
        compile(library, major, logSlot);
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-D" + LibrarySearch.PROPERTY + "=" + library,
            "-cp", System.getProperty("java.class.path"), LateMessages.class.getName(), way)
            .directory(folder.toFile()).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes());
        assertEquals(code, process.waitFor(), said);
        assertTrue(said.contains("open: InferenceRuntime of " + major + ".2.3.7"), said);
        assertTrue(said.contains("said in time"), said);
        assertFalse(said.contains("too late"), said);
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(), files.filter(file -> file.getFileName().toString().startsWith("hs_err")).toList());
        }
    }

    private void compile(Path library, int major, int logSlot) throws IOException, InterruptedException {
        Path source = folder.resolve("logs_late.c");
        try (InputStream in = ProcessEndTest.class.getResourceAsStream("logs_late.c")) {
            Files.copy(in, source);
        }
        Process compiler;
        try {
            compiler = new ProcessBuilder("cc", "-std=c11", "-shared", "-fPIC", "-DMAJOR=" + major,
                "-DLOG_SLOT=" + logSlot, "-o", library.toString(), source.toString()).redirectErrorStream(true).start();
        } catch (IOException none) {
            assumeTrue(false, "there is no C compiler here: " + none.getMessage());
            return;
        }
        String messages = new String(compiler.getInputStream().readAllBytes());
        assertEquals(0, compiler.waitFor(), messages);
    }
}
