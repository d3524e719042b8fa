package dev.slipstream.pipelines.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.slipstream.bridge.file.KeyLock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFolderTest {
    @TempDir
    private Path folder;

    private static void write(Path target) throws IOException {
        AtomicFolder.write(target, inside -> Files.writeString(inside.resolve("file"), "whole"));
    }

    /** A folder as a writer of {@code target} makes it, with a file in it. */
    private Path unfinished(String target) throws IOException {
        Path rest = Files.createDirectory(folder.resolve("." + target + "." + UUID.randomUUID() + ".tmp"));
        Files.writeString(rest.resolve("file"), "half");
        return rest;
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).filter(name -> !name.endsWith(".lock")).sorted()
                .toList();
        }
    }

    @Test
    void whatAKilledWriterLeftOfTheSameFolderIsSweptByTheNext() throws IOException {
        unfinished("model");
        Path others = unfinished("other");
        write(folder.resolve("model"));
        assertEquals(List.of(others.getFileName().toString(), "model"), names());
    }

    @Test
    void aWriterThatIsStillAtWorkKeepsItsFolder() throws IOException {
        Path rest = unfinished("model");
        try (KeyLock _ = KeyLock.acquire(rest)) {
            write(folder.resolve("model"));
            assertEquals(List.of(rest.getFileName().toString(), "model"), names());
        }
    }

    @Test
    void whatFailsLeavesNothingAndHarmsNothing() throws IOException {
        write(folder.resolve("model"));
        assertThrows(IOException.class, () -> write(folder.resolve("model")), "it is full");
        assertThrows(IOException.class, () -> AtomicFolder.write(folder.resolve("new"), inside -> {
            throw new IOException("no room");
        }));
        assertEquals(List.of("model"), names());
        assertEquals("whole", Files.readString(folder.resolve("model").resolve("file")));
    }
}
