package dev.slipstream.pipelines.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever happens to the files of a cache: entries that are whole are served, others never. */
class CacheDamageTest {
    private static final int ENTRIES = 6;

    @TempDir
    private Path folder;
    private LatentCache cache;

    @BeforeEach
    void fill() {
        cache = new LatentCache(folder, 1 << 30);
        IntStream.range(0, ENTRIES).forEach(number -> CacheSamples.put(cache, number));
        cache.served((Answer.Hit) CacheSamples.lookup(cache, 3), 1);
    }

    @AfterEach
    void close() {
        cache.close();
    }

    private Path shelf() {
        return folder.resolve("default").resolve(CacheSamples.key().id());
    }

    private Path index() {
        return shelf().resolve(IndexFile.NAME);
    }

    private Path entry(int number) {
        return shelf().resolve(EntryFile.name(CacheSamples.entry(cache, CacheSamples.key(), number).id()));
    }

    /** All are served by a process that has known them, and by one that has not. */
    private void assertAllServe() {
        try (LatentCache fresh = new LatentCache(folder, 1 << 30)) {
            for (LatentCache each : List.of(fresh, cache)) {
                IntStream.range(0, ENTRIES).forEach(number -> assertTrue(CacheSamples.serves(each, number)));
                assertEquals(ENTRIES, each.list().size());
            }
        }
    }

    @Test
    void anIndexThatIsMissingIsMadeOfTheEntries() throws IOException {
        Files.delete(index());
        assertAllServe();
    }

    @Test
    void anIndexThatIsCutOffAnywhereIsMadeWholeAndKeepsWhatItCan() throws IOException {
        byte[] whole = Files.readAllBytes(index());
        for (int length = 0; length < whole.length; length += 97) {
            Files.write(index(), Arrays.copyOf(whole, length));
            assertAllServe();
        }
        Files.write(index(), Arrays.copyOf(whole, whole.length - 1));
        try (LatentCache fresh = new LatentCache(folder, 1 << 30)) {
            assertTrue(CacheSamples.put(fresh, 77));
            assertEquals(ENTRIES + 1, fresh.list().size());
        }
    }

    @Test
    void anIndexWithAFlippedBitIsMadeWhole() throws IOException {
        byte[] whole = Files.readAllBytes(index());
        Random random = new Random(5);
        for (int round = 0; round < 60; round++) {
            byte[] flipped = whole.clone();
            flipped[random.nextInt(whole.length)] ^= (byte) (1 << random.nextInt(8));
            Files.write(index(), flipped);
            try (LatentCache fresh = new LatentCache(folder, 1 << 30)) {
                IntStream.range(0, ENTRIES).forEach(number -> assertTrue(CacheSamples.serves(fresh, number)));
            }
        }
    }

    @Test
    void aTornRecordAtTheEndCostsNothing() throws IOException {
        Files.write(index(), new byte[] {0, 0, 5, 0, 1, 2, 3}, StandardOpenOption.APPEND);
        assertTrue(CacheSamples.serves(cache, 1));
        assertTrue(CacheSamples.put(cache, 50));
        try (LatentCache fresh = new LatentCache(folder, 1 << 30)) {
            assertTrue(CacheSamples.serves(fresh, 50));
            assertEquals(1, fresh.stats().get("default").hits(), "what entries were good for is not lost");
        }
    }

    @Test
    void anEntryThatTheIndexDoesNotKnowIsFound() throws IOException {
        byte[] before = Files.readAllBytes(index());
        assertTrue(CacheSamples.put(cache, 50));
        Files.write(index(), before);
        try (LatentCache fresh = new LatentCache(folder, 1 << 30)) {
            assertTrue(CacheSamples.serves(fresh, 50));
        }
    }

    @Test
    void anEntryThatIsGoneIsForgotten() throws IOException {
        Files.delete(entry(2));
        assertFalse(CacheSamples.serves(cache, 2));
        assertEquals(ENTRIES - 1, cache.list().size());
        assertTrue(CacheSamples.put(cache, 2));
        assertAllServe();
    }

    @Test
    void aDamagedEntryIsNeverServedAndGoes() throws IOException {
        byte[] whole = Files.readAllBytes(entry(1));
        Random random = new Random(6);
        for (int round = 0; round < 100; round++) {
            byte[] damaged = round % 3 == 0 ? Arrays.copyOf(whole, random.nextInt(whole.length)) : whole.clone();
            if (damaged.length == whole.length) {
                damaged[random.nextInt(whole.length)] ^= (byte) (1 << random.nextInt(8));
            }
            Files.write(entry(1), damaged);
            assertFalse(CacheSamples.serves(cache, 1));
            assertFalse(Files.exists(entry(1)));
            assertTrue(CacheSamples.put(cache, 1));
        }
        assertAllServe();
    }

    @Test
    void anEntryUnderAnotherNameOrKeyIsNotServed() throws IOException {
        Files.copy(entry(1), entry(2), StandardCopyOption.REPLACE_EXISTING);
        assertFalse(CacheSamples.serves(cache, 2));
        CacheKey other = CacheSamples.key("other");
        cache.put(CacheSamples.entry(cache, other, 9));
        Path there = folder.resolve("default").resolve(other.id()).resolve(entry(3).getFileName());
        Files.copy(entry(3), there);
        try (LatentCache fresh = new LatentCache(folder, 1 << 30)) {
            assertTrue(fresh.lookup(CacheSamples.query(fresh, other, 3)) instanceof Answer.Miss);
        }
    }

    @Test
    void verifyDeletesWhatIsDamagedAndCountsTheRest() throws IOException {
        byte[] damaged = Files.readAllBytes(entry(4));
        damaged[damaged.length / 2] ^= 1;
        Files.write(entry(4), damaged);
        assertEquals(new LatentCache.Verification(ENTRIES - 1, 1), cache.verify());
        assertEquals(new LatentCache.Verification(ENTRIES - 1, 0), cache.verify());
    }

    @Test
    void aDamagedSaltLosesWhatWasKeptAndNothingElse() throws IOException {
        Files.write(folder.resolve("salt"), new byte[40]);
        try (LatentCache fresh = new LatentCache(folder, 1 << 30)) {
            assertFalse(CacheSamples.serves(fresh, 1));
            assertTrue(CacheSamples.put(fresh, 1));
            assertTrue(CacheSamples.serves(fresh, 1));
        }
    }

    @Test
    void otherFilesInTheFolderStay() throws IOException {
        Path note = Files.writeString(shelf().resolve("note"), "mine");
        cache.clear();
        assertTrue(Files.exists(note));
        try (Stream<Path> files = Files.list(shelf())) {
            assertEquals(List.of(note), files.toList());
        }
    }
}
