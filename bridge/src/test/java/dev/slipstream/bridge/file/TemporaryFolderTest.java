package dev.slipstream.bridge.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Temporary folders are gone after their process, however that ended, and not before. */
class TemporaryFolderTest {
    @TempDir
    private Path temporary;
    private Process process;

    @AfterEach
    void endProcess() throws InterruptedException {
        if (process != null) {
            process.destroyForcibly().waitFor();
        }
    }

    @Test
    void aClosedFolderIsGone() throws IOException {
        TemporaryFolder folder = TemporaryFolder.create("test");
        Files.writeString(folder.path().resolve("file"), "content");
        folder.close();
        folder.close();
        assertFalse(Files.exists(folder.path()));
    }

    @Test
    void anOpenFolderIsGoneWhenJavaEnds() throws Exception {
        start();
        assertEquals(1, folders().size());
        FileProcess.go(process);
        assertEquals(0, process.waitFor());
        assertEquals(List.of(), folders());
    }

    @Test
    void theFolderOfAKilledProcessIsGoneAfterTheNext() throws Exception {
        start();
        process.destroyForcibly().waitFor();
        assertEquals(1, folders().size());
        start();
        FileProcess.go(process);
        process.waitFor();
        assertEquals(List.of(), folders());
    }

    @Test
    void theFolderOfARunningProcessStays() throws Exception {
        start();
        Path file = folders().getFirst().resolve("file");
        Process other = FileProcess.start(temporary, "temporary");
        FileProcess.awaitReady(other);
        assertEquals(2, folders().size());
        FileProcess.go(other);
        assertEquals(0, other.waitFor());
        assertTrue(Files.exists(file));
    }

    @Test
    void otherFilesStay() throws Exception {
        Path link = Files.createSymbolicLink(temporary.resolve("slipstream-tmp-test-1"),
            Files.createDirectory(temporary.resolve("elsewhere")));
        Path kept = Files.createFile(link.resolve("kept"));
        Path file = Files.createFile(temporary.resolve("slipstream-tmp-test-2"));
        Path others = Files.createDirectory(temporary.resolve("slipstream-cache-1"));
        start();
        FileProcess.go(process);
        process.waitFor();
        assertTrue(Files.exists(kept) && Files.exists(link) && Files.exists(file) && Files.exists(others));
    }

    private void start() throws IOException {
        process = FileProcess.start(temporary, "temporary");
        FileProcess.awaitReady(process);
    }

    private List<Path> folders() throws IOException {
        try (Stream<Path> all = Files.list(temporary)) {
            return all.filter(path -> path.getFileName().toString().startsWith("slipstream-tmp-")).toList();
        }
    }
}
