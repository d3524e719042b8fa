package dev.slipstream.pipelines.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LatentCacheTest {
    private static final long MUCH = 1L << 30;

    @TempDir
    private Path parent;
    private Path folder;
    private LatentCache cache;

    @BeforeEach
    void open() {
        folder = parent.resolve("latents");
        cache = new LatentCache(folder, MUCH);
    }

    @AfterEach
    void close() {
        cache.close();
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile).toList();
        }
    }

    private long bytesOfFiles() throws IOException {
        return files().stream().filter(file -> !file.endsWith("salt")).mapToLong(file -> file.toFile().length()).sum();
    }

    @Test
    void whatSaysTheSameIsServedInThisProcessAndTheNext() {
        assertFalse(CacheSamples.serves(cache, 1));
        assertTrue(CacheSamples.put(cache, 1));
        assertTrue(CacheSamples.put(cache, 2));
        assertTrue(CacheSamples.serves(cache, 1));
        try (LatentCache next = new LatentCache(folder, MUCH)) {
            assertTrue(CacheSamples.serves(next, 1));
            assertTrue(CacheSamples.serves(next, 2));
            assertFalse(CacheSamples.serves(next, 3));
        }
    }

    @Test
    void anEntryIsKeptOnce() throws IOException {
        assertTrue(CacheSamples.put(cache, 1));
        long bytes = bytesOfFiles();
        assertFalse(CacheSamples.put(cache, 1));
        assertEquals(bytes, bytesOfFiles());
    }

    @Test
    void whatWasPutIsWhatIsListed() {
        Entry entry = CacheSamples.entry(cache, CacheSamples.key(), 1);
        cache.put(new Entry(entry.key(), entry.mark(), entry.conditioning(), entry.latents(),
            0.25, Optional.of("a red star")));
        CachedEntry listed = cache.list().getFirst();
        assertEquals(entry.key().facts(), listed.facts());
        assertEquals(Optional.of("a red star"), listed.prompt());
        assertEquals(List.of(2, 5), listed.steps());
        Answer.Hit hit = (Answer.Hit) CacheSamples.lookup(cache, 1);
        assertEquals(listed.id(), hit.source());
        assertEquals(5, hit.saved());
        cache.served(hit, 1.25);
        listed = cache.list().getFirst();
        assertEquals(1, listed.hits());
        assertEquals(1.25, listed.savedSeconds());
        assertEquals(Map.of("default", new LatentCache.Stats(1, listed.bytes(), 1, 1.25)), cache.stats());
    }

    @Test
    void promptsAreNotInClearUnlessThatIsWanted() throws IOException {
        Entry entry = CacheSamples.entry(cache, CacheSamples.key(), 1);
        cache.put(entry);
        cache.put(new Entry(entry.key(), cache.mark("a violet heart", 2), CacheSamples.conditioning(2),
            entry.latents(), 1, Optional.of("a violet heart")));
        String all = "";
        for (Path file : files()) {
            all += new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
        }
        assertTrue(all.contains("violet"));
        for (String word : List.of("red", "star", "kind1", "blue", "background")) {
            assertFalse(all.contains(word), word);
        }
        try (LatentCache other = new LatentCache(parent.resolve("other"), MUCH)) {
            assertFalse(other.hash("red").equals(cache.hash("red")));
        }
    }

    @Test
    void clearingANamespaceLeavesNothingOfIt() throws IOException {
        CacheKey tenant = CacheSamples.key().in("tenant-1");
        cache.put(CacheSamples.entry(cache, tenant, 1));
        cache.put(CacheSamples.entry(cache, CacheSamples.key("other").in("tenant-1"), 2));
        CacheSamples.put(cache, 3);
        assertTrue(cache.lookup(CacheSamples.query(cache, tenant, 1)) instanceof Answer.Hit);
        assertTrue(cache.clear("tenant-1") > 0);
        assertEquals(Set.of("salt", "default"), names(folder));
        assertTrue(cache.lookup(CacheSamples.query(cache, tenant, 1)) instanceof Answer.Miss);
        assertTrue(CacheSamples.serves(cache, 3));
        cache.clear();
        assertEquals(Set.of("salt"), names(folder));
        assertEquals(List.of(), cache.list());
        assertTrue(CacheSamples.put(cache, 3));
        assertTrue(CacheSamples.serves(cache, 3));
    }

    private static Set<String> names(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(entry -> entry.getFileName().toString()).collect(Collectors.toSet());
        }
    }

    @Test
    void noKeySeesWhatAnotherHas() {
        CacheSamples.put(cache, 1);
        CacheKey key = CacheSamples.key();
        for (String fact : CacheKey.NEEDED) {
            Map<String, String> facts = new TreeMap<>(key.facts());
            facts.put(fact, fact.equals(CacheKey.STEPS) ? "11" : "another");
            assertEquals(new Answer.Miss(Answer.Reason.EMPTY),
                cache.lookup(CacheSamples.query(cache, CacheKey.of(facts), 1)), fact);
        }
        assertEquals(new Answer.Miss(Answer.Reason.EMPTY),
            cache.lookup(CacheSamples.query(cache, key.in("tenant"), 1)));
        assertThrows(IllegalArgumentException.class, () -> key.in("../default"));
        assertThrows(IllegalArgumentException.class, () -> CacheKey.of(Map.of(CacheKey.MODEL, "model")));
        Map<String, String> without = new TreeMap<>(key.facts());
        without.put(CacheKey.STEPS, "some");
        assertThrows(IllegalArgumentException.class, () -> CacheKey.of(without));
    }

    @Test
    void theFolderStaysWithinItsBound() throws IOException {
        CacheSamples.put(cache, 0);
        long each = bytesOfFiles();
        try (LatentCache small = new LatentCache(folder, 5 * each)) {
            for (int number = 1; number < 30; number++) {
                assertTrue(CacheSamples.put(small, number));
                assertTrue(bytesOfFiles() <= 5 * each, () -> "after many");
                assertTrue(CacheSamples.serves(small, number), "what was just made stays");
            }
            assertEquals(files().stream().filter(file -> file.toString().endsWith(EntryFile.ENDING)).count(),
                small.list().size());
        }
        try (LatentCache none = new LatentCache(folder, 10)) {
            assertFalse(CacheSamples.put(none, 77));
        }
    }

    @Test
    void whatServesStaysAndWhatDoesNotGoes() throws IOException {
        CacheSamples.put(cache, 0);
        long each = bytesOfFiles();
        try (LatentCache small = new LatentCache(folder, 10 * each)) {
            for (int number = 1; number < 60; number++) {
                CacheSamples.put(small, number);
                if (CacheSamples.lookup(small, 0) instanceof Answer.Hit hit) {
                    small.served(hit, 0.5);
                }
            }
            assertTrue(CacheSamples.serves(small, 0));
            long kept = LongStream.range(1, 60).filter(number -> CacheSamples.serves(small, number)).count();
            assertEquals(small.list().size() - 1, kept);
            // The newest are there: none was turned away by those that have served.
            assertTrue(IntStream.range(56, 60).allMatch(number -> CacheSamples.serves(small, number)));
        }
    }

    @Test
    void boundsHoldAcrossKeys() throws IOException {
        CacheSamples.put(cache, 0);
        long each = bytesOfFiles();
        try (LatentCache small = new LatentCache(folder, 4 * each)) {
            for (int number = 1; number < 12; number++) {
                small.put(CacheSamples.entry(small, CacheSamples.key("model " + number), number));
                assertTrue(bytesOfFiles() <= 4 * each);
            }
            // Keys without entries leave no folder.
            assertEquals(small.list().size(), names(folder.resolve("default")).size());
        }
    }

    @Test
    void aFolderThatCannotBeUsedCostsNothingButTheCache() throws IOException {
        Path file = Files.writeString(parent.resolve("file"), "in the way");
        try (LatentCache useless = new LatentCache(file, MUCH)) {
            assertFalse(CacheSamples.put(useless, 1));
            assertTrue(CacheSamples.lookup(useless, 1) instanceof Answer.Miss);
        }
        assertEquals("in the way", Files.readString(file));
    }
}
