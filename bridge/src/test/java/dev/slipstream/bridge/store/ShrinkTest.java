package dev.slipstream.bridge.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How the bound is kept. */
class ShrinkTest {
    /** With header and trailer, a little more than four pages. */
    private static final int ENGINE_BYTES = 3 * 4096;
    private static final long FILE_BYTES = 4 * 4096 + 8;

    @TempDir
    private Path folder;

    private void add(EngineStore store, int number) {
        Samples.get(store, number, Samples.engine(number, ENGINE_BYTES));
    }

    private void age(int number, Duration by) throws IOException {
        Files.setLastModifiedTime(folder.resolve(Samples.key(number).id() + ".engine"),
            FileTime.from(Instant.now().minus(by)));
    }

    private static List<String> names(EngineStore store) {
        return store.list().stream().map(EngineEntry::name).toList();
    }

    @Test
    void theEngineThatWasNotUsedForLongestGoesFirst() throws IOException {
        EngineStore store = new EngineStore(folder, 3 * FILE_BYTES);
        for (int number = 1; number <= 3; number++) {
            add(store, number);
            age(number, Duration.ofDays(10 - number));
        }
        Samples.get(store, 1);
        add(store, 4);
        assertEquals(List.of("engine 4", "engine 1", "engine 3"), names(store));
    }

    @Test
    void useInAnotherStoreOfTheFolderCountsToo() throws IOException {
        EngineStore store = new EngineStore(folder, 2 * FILE_BYTES);
        add(store, 1);
        age(1, Duration.ofDays(2));
        add(store, 2);
        age(2, Duration.ofDays(1));
        Samples.get(new EngineStore(folder, FILE_BYTES), 1);
        add(store, 3);
        assertEquals(List.of("engine 3", "engine 1"), names(store));
    }

    @Test
    void theOneJustMadeStaysEvenIfItLooksOldest() throws IOException {
        EngineStore store = new EngineStore(folder, FILE_BYTES);
        add(store, 1);
        Files.setLastModifiedTime(folder.resolve(Samples.key(1).id() + ".engine"),
            FileTime.from(Instant.now().plus(Duration.ofDays(9))));
        add(store, 2);
        assertEquals(List.of("engine 2"), names(store));
    }

    @Test
    void readingNeverEvicts() {
        add(new EngineStore(folder, 2 * FILE_BYTES), 1);
        add(new EngineStore(folder, 2 * FILE_BYTES), 2);
        Samples.get(new EngineStore(folder, 1), 1);
        assertEquals(2, new EngineStore(folder, 1).list().size());
    }

    @Test
    void anEngineLargerThanTheBoundIsUsedAndNotKept() {
        EngineStore store = new EngineStore(folder, FILE_BYTES);
        add(store, 1);
        byte[] large = Samples.engine(2, ENGINE_BYTES + 1);
        assertArrayEquals(large, Samples.get(store, 2, large));
        assertEquals(List.of("engine 1"), names(store));
    }

    @Test
    void aBoundOfNothingKeepsNothing() {
        EngineStore store = new EngineStore(folder, 0);
        add(store, 1);
        assertEquals(List.of(), store.list());
        assertTrue(assertThrows(IllegalArgumentException.class, () -> new EngineStore(folder, -1)).getMessage()
            .contains("-1 bytes"));
    }
}
