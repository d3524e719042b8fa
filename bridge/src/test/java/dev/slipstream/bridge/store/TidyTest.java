package dev.slipstream.bridge.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.file.KeyLock;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is deleted, and what is not. */
class TidyTest {
    @TempDir
    private Path folder;
    private EngineStore store;

    @BeforeEach
    void open() {
        store = new EngineStore(folder, 1 << 30);
    }

    private List<String> names() throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
        }
    }

    private Path engine(int number) {
        return folder.resolve(Samples.key(number).id() + ".engine");
    }

    private Path temporary(int number) throws IOException {
        return Files.writeString(folder.resolve("." + engine(number).getFileName() + "." + UUID.randomUUID() + ".tmp"),
            "half of an engine");
    }

    @Test
    void whatDeadWritersLeftGoesBeforeTheNextEngineIsWritten() throws IOException {
        temporary(1);
        temporary(2);
        Files.createFile(folder.resolve(engine(2).getFileName() + ".lock"));
        Samples.get(store, 1, Samples.engine(1));
        assertEquals(List.of(engine(1).getFileName().toString()), names());
    }

    @Test
    void whatALivingWriterWritesStays() throws IOException {
        Path temporary = temporary(2);
        try (KeyLock _ = KeyLock.acquire(engine(2))) {
            Samples.get(store, 1, Samples.engine(1));
            store.clear();
            assertTrue(Files.exists(temporary));
            assertTrue(KeyLock.tryAcquire(engine(2)).isEmpty());
        }
        store.clear();
        assertEquals(List.of(), names());
    }

    @Test
    void clearingDeletesWhatTheStoreMadeAndNothingElse() throws IOException {
        Samples.get(store, 1, Samples.engine(1));
        store.storeTimingCache("Toy", MemorySegment.ofArray(Samples.engine(2)));
        long made = Files.size(engine(1)) + store.folder().toFile().listFiles((in, name) -> name.endsWith(".timing"))[0]
            .length();
        Path mine = Files.writeString(folder.resolve("notes.txt"), "mine");
        Path inside = Files.createDirectory(folder.resolve("inside"));
        Files.writeString(inside.resolve(engine(3).getFileName()), "mine");
        assertEquals(made, store.clear());
        assertEquals(List.of("inside", "notes.txt"), names());
        assertTrue(Files.exists(mine) && Files.exists(inside.resolve(engine(3).getFileName())));
    }

    @Test
    void clearingDeletesLinksAndNotWhatTheyPointTo(@TempDir Path elsewhere) throws IOException {
        Path file = Files.writeString(elsewhere.resolve("precious"), "text");
        Path inside = Files.createDirectory(elsewhere.resolve("folder"));
        Files.writeString(inside.resolve("precious"), "text");
        Files.createSymbolicLink(engine(1), file);
        Files.createSymbolicLink(engine(2), inside);
        Files.createSymbolicLink(folder.resolve(engine(3).getFileName() + ".lock"), file);
        store.clear();
        assertTrue(names().stream().noneMatch(name -> name.endsWith(".engine")), names().toString());
        assertEquals("text", Files.readString(file));
        assertEquals("text", Files.readString(inside.resolve("precious")));
    }

    @Test
    void aMappedEngineOutlivesItsFile() {
        byte[] engine = Samples.engine(1, 3 << 20);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mapped = store.getOrBuild(Samples.key(1), arena, () -> MemorySegment.ofArray(engine));
            assertTrue(mapped.isMapped());
            store.clear();
            assertFalse(Files.exists(engine(1)));
            assertArrayEquals(engine, Samples.bytes(mapped));
        }
    }

    @Test
    void aStoreBehindALinkIsTheStore(@TempDir Path elsewhere) throws IOException {
        Path link = Files.createSymbolicLink(elsewhere.resolve("link"), folder);
        EngineStore other = new EngineStore(link, 1 << 30);
        Samples.get(other, 1, Samples.engine(1));
        assertArrayEquals(Samples.engine(1), Samples.get(store, 1));
        try (KeyLock _ = KeyLock.acquire(engine(1))) {
            assertTrue(KeyLock.tryAcquire(link.resolve(engine(1).getFileName())).isEmpty());
        }
    }
}
