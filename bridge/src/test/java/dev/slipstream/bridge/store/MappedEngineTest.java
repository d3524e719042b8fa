package dev.slipstream.bridge.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.file.KeyLock;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Engines in two files: both are right, or neither is there. */
class MappedEngineTest {
    /** Large enough for its sum to be remembered. */
    private static final int WEIGHT_BYTES = 9 << 20;

    @TempDir
    private Path folder;
    private EngineStore store;
    private int built;

    @BeforeEach
    void open() {
        store = new EngineStore(folder, 1 << 30);
    }

    private Optional<byte[]> get(int number) {
        try (Arena arena = Arena.ofConfined()) {
            return store.getOrBuild(Samples.key(number), arena, weights -> {
                built++;
                Files.writeString(weights.resolveSibling("notes"), "of the build");
                Files.write(weights, Samples.engine(number, WEIGHT_BYTES));
                return MemorySegment.ofArray(Samples.engine(number, 1000));
            }).map(engine -> {
                assertArrayEquals(Samples.engine(number, 1000), Samples.bytes(engine.engine()));
                try {
                    return Files.readAllBytes(engine.weights());
                } catch (IOException failed) {
                    throw new AssertionError(failed);
                }
            });
        }
    }

    private void assertGiven(int number, int builds) {
        built = 0;
        assertArrayEquals(Samples.engine(number, WEIGHT_BYTES), get(number).orElseThrow());
        assertEquals(builds, built);
    }

    private Path weights(int number) {
        return folder.resolve(Samples.key(number).id() + ".weights");
    }

    private List<String> names(String ending) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(entry -> entry.getFileName().toString()).filter(name -> name.endsWith(ending)).toList();
        }
    }

    @Test
    void itIsBuiltOnceAndWhatTheBuildLeftIsGone() throws IOException {
        assertGiven(1, 1);
        assertGiven(1, 0);
        assertEquals(List.of(), names(".work"));
        assertEquals(List.of(), names(".lock"));
        store = new EngineStore(folder, 1 << 30);
        assertGiven(1, 0);
    }

    @Test
    void damagedWeightsAreBuiltAgain() throws IOException {
        assertGiven(1, 1);
        byte[] bytes = Files.readAllBytes(weights(1));
        bytes[WEIGHT_BYTES / 2] ^= 1;
        Files.write(weights(1), bytes);
        Files.setLastModifiedTime(weights(1), FileTime.from(Instant.EPOCH));
        assertGiven(1, 1);
    }

    @Test
    void weightsThatAreCutOffOrMissingAreBuiltAgain() throws IOException {
        assertGiven(1, 1);
        Files.write(weights(1), new byte[5], StandardOpenOption.TRUNCATE_EXISTING);
        assertGiven(1, 1);
        Files.delete(weights(1));
        assertGiven(1, 1);
        assertGiven(1, 0);
    }

    @Test
    void anEngineOfAnotherKindUnderTheKeyIsBuiltAgain() {
        Samples.get(store, 1, new byte[] {1, 2, 3});
        assertGiven(1, 1);
    }

    @Test
    void aRefusedEngineIsBuiltAgain() {
        assertGiven(1, 1);
        store.discard(Samples.key(1), "its runtime refuses it");
        assertFalse(Files.exists(weights(1)));
        assertGiven(1, 1);
    }

    @Test
    void itCountsWithItsWeightsAndGoesWithThem() throws IOException {
        assertGiven(1, 1);
        EngineEntry entry = store.list().getFirst();
        assertEquals(WEIGHT_BYTES + Files.size(folder.resolve(entry.id() + ".engine")), entry.bytes());
        assertTrue(store.remove(entry.id()));
        assertFalse(Files.exists(weights(1)));
        assertGiven(1, 1);
        assertTrue(store.clear() > WEIGHT_BYTES);
        assertEquals(List.of(), names(""));
    }

    @Test
    void theOneThatWasNotUsedForLongestMakesRoom() throws IOException {
        store = new EngineStore(folder, 2 * WEIGHT_BYTES + WEIGHT_BYTES / 2);
        for (int number = 1; number <= 2; number++) {
            assertGiven(number, 1);
            Files.setLastModifiedTime(folder.resolve(Samples.key(number).id() + ".engine"),
                FileTime.from(Instant.EPOCH.plusSeconds(number)));
        }
        assertGiven(1, 0);
        assertGiven(3, 1);
        assertTrue(Files.exists(weights(1)));
        assertFalse(Files.exists(weights(2)));
    }

    @Test
    void whatDoesNotFitIsNotKept() throws IOException {
        store = new EngineStore(folder, WEIGHT_BYTES);
        assertTrue(get(1).isEmpty());
        assertEquals(List.of(), names(""));
    }

    @Test
    void aBuildThatCannotWriteLeavesNothing() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            assertTrue(store.getOrBuild(Samples.key(1), arena, weights -> {
                Files.write(weights, new byte[100]);
                throw new IOException("no room");
            }).isEmpty());
            IllegalStateException bug = new IllegalStateException();
            assertEquals(bug, assertThrows(IllegalStateException.class,
                () -> store.getOrBuild(Samples.key(1), arena, weights -> {
                    throw bug;
                })));
        }
        assertEquals(List.of(), names(""));
    }

    @Test
    void whatDeadWritersLeftGoesAndWhatLivingOnesWriteStays() throws IOException {
        Files.write(weights(1), new byte[10]);
        Files.write(weights(2), new byte[10]);
        Path work = Files.createDirectory(folder.resolve(Samples.key(3).id() + ".engine.work"));
        Files.write(work.resolve("half"), new byte[10]);
        try (KeyLock _ = KeyLock.acquire(folder.resolve(Samples.key(2).id() + ".engine"))) {
            Samples.get(store, 4, Samples.engine(4));
            assertEquals(List.of(weights(2).getFileName().toString()), names(".weights"));
            assertFalse(Files.exists(work));
        }
        Samples.get(store, 5, Samples.engine(5));
        assertEquals(List.of(), names(".weights"));
    }
}
