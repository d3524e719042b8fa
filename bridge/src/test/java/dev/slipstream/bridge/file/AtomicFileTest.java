package dev.slipstream.bridge.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
    @TempDir
    private Path folder;

    private static AtomicFile.Contents text(String text) {
        return channel -> channel.write(ByteBuffer.wrap(text.getBytes()));
    }

    private List<String> names() throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void writesAndReplaces() throws IOException {
        Path file = folder.resolve("a.txt");
        AtomicFile.write(file, text("first, longer"));
        AtomicFile.write(file, text("second"));
        assertEquals("second", Files.readString(file));
        assertEquals(List.of("a.txt"), names());
    }

    @Test
    void keepsTheOldFileAndNoRestsWhenWritingFails() throws IOException {
        Path file = folder.resolve("a.txt");
        AtomicFile.write(file, text("old"));
        IOException failure = assertThrows(IOException.class, () -> AtomicFile.write(file, channel -> {
            text("half").writeTo(channel);
            throw new IOException("the disk is full");
        }));
        assertTrue(failure.getMessage().contains("a.txt: the disk is full"), failure.getMessage());
        assertEquals("old", Files.readString(file));
        assertEquals(List.of("a.txt"), names());
    }

    @Test
    void tellsThatAFileCanBeWrittenAndLeavesNoTrace() throws IOException {
        AtomicFile.checkWritable(folder.resolve("new.txt"));
        assertEquals(List.of(), names());
        AtomicFile.write(folder.resolve("a.txt"), text("old"));
        AtomicFile.checkWritable(folder.resolve("a.txt"));
        assertEquals(List.of("a.txt"), names());
        assertEquals("old", Files.readString(folder.resolve("a.txt")));
    }

    @Test
    void whatKilledProcessesLeftOfAnyOfTheFilesIsDeletedAndThatOfOthersStays() throws IOException {
        String id = "." + UUID.randomUUID() + ".tmp";
        for (String name : List.of("a.txt", "b.txt", "c.txt")) {
            Files.createFile(folder.resolve("." + name + id));
        }
        AtomicFile.checkWritable(List.of(folder.resolve("a.txt"), folder.resolve("b.txt")));
        assertEquals(List.of(".c.txt" + id), names());
    }

    @Test
    void tellsThatAFileCannotBeWrittenBeforeThereIsAnythingToWrite() throws IOException {
        for (Path target : List.of(folder, folder.resolve("missing/a.txt"), folder.resolve("x".repeat(300)))) {
            IOException early = assertThrows(IOException.class, () -> AtomicFile.checkWritable(target));
            assertEquals(message(target), early.getMessage());
        }
        assertEquals(List.of(), names());
    }

    @Test
    void saysWhyATargetCannotBeWritten() {
        assertTrue(message(folder).contains("it is a folder"));
        assertTrue(message(folder.resolve("missing/a.txt")).contains("there is no folder"));
        assertTrue(message(Path.of("/")).contains("it is a folder"));
    }

    private static String message(Path target) {
        return assertThrows(IOException.class, () -> AtomicFile.write(target, text(""))).getMessage();
    }

    @Test
    void tellsWhatATemporaryNeighbourWasToBecome() throws IOException {
        List<Path> seen = new ArrayList<>();
        AtomicFile.write(folder.resolve("a.txt"), channel -> seen.add(folder.resolve(names().getFirst())));
        assertEquals(Optional.of(folder.resolve("a.txt")), AtomicFile.targetOf(seen.getFirst()));
        assertEquals(Optional.empty(), AtomicFile.targetOf(folder.resolve(".a.txt.tmp")));
    }

    @Test
    void leavesPermissionsToTheUmask() throws IOException {
        assumeTrue(folder.getFileSystem().supportedFileAttributeViews().contains("posix"), "no POSIX permissions here");
        Path plain = Files.writeString(folder.resolve("plain"), "");
        Path atomic = folder.resolve("atomic");
        AtomicFile.write(atomic, text(""));
        assertEquals(Files.getPosixFilePermissions(plain), Files.getPosixFilePermissions(atomic));
    }
}
