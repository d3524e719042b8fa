package dev.slipstream.pipelines.cache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.file.DamagedFileException;
import dev.slipstream.bridge.file.KeyLock;
import dev.slipstream.pipelines.fuzz.ByteDamage;
import dev.slipstream.pipelines.fuzz.Fuzz;
import dev.slipstream.pipelines.model.ModelException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Random;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;

/** Files of a cache that are damaged, half of them with checksums that are right again. */
class CacheFuzzTest {
    private static final Logger WARNINGS = Logger.getLogger(LatentCache.class.getName());

    /** Each is written anew, and so waits for the disk. */
    private static final int MOST_INDEXES = 10_000;
    /** Of a graph. */
    private static final int PLACES = 50;

    @TempDir
    private Path folder;
    private Path shelf;

    @BeforeEach
    void fill() {
        WARNINGS.setLevel(Level.SEVERE);
        try (LatentCache cache = new LatentCache(folder, 1 << 30)) {
            CacheSamples.put(cache, 1);
            CacheSamples.put(cache, 2);
        }
        shelf = folder.resolve("default").resolve(CacheSamples.key().id());
    }

    @AfterEach
    void warnAgain() {
        WARNINGS.setLevel(null);
    }

    @Test
    void damagedEntriesAreReadOrRefused(TestReporter reporter) throws InterruptedException, IOException {
        Path file;
        try (LatentCache cache = new LatentCache(folder, 1 << 30)) {
            file = shelf.resolve(EntryFile.name(CacheSamples.entry(cache, CacheSamples.key(), 1).id()));
        }
        byte[] whole = Files.readAllBytes(file);
        Fuzz.Outcome outcome = new Fuzz("entries", 128 << 10, 16).run(Fuzz.tries(3000), random -> {
            byte[] damaged = ByteDamage.damage(whole, whole, random);
            return random.nextBoolean() ? damaged : withChecksum(damaged);
        }, bytes -> {
            Files.write(file, bytes);
            try {
                EntryFile.read(file);
            } catch (IOException refused) {
                throw new ModelException(String.valueOf(refused.getMessage()), refused);
            }
        });
        reporter.publishEntry("fuzz entries", outcome.toString());
        assertTrue(outcome.refused() > 0 && outcome.read() > 0, outcome::toString);
    }

    @Test
    void withoutRightChecksumsNoDamageIsRead() throws IOException {
        Path file;
        try (LatentCache cache = new LatentCache(folder, 1 << 30)) {
            file = shelf.resolve(EntryFile.name(CacheSamples.entry(cache, CacheSamples.key(), 1).id()));
        }
        byte[] whole = Files.readAllBytes(file);
        int refused = 0;
        int tries = Fuzz.tries(3000);
        for (int number = 0; number < tries; number++) {
            byte[] damaged = ByteDamage.damage(whole, whole, new Random(number));
            Files.write(file, damaged);
            try {
                EntryFile.read(file);
                assertArrayEquals(whole, damaged, "damaged file " + number);
            } catch (DamagedFileException expected) {
                refused++;
            }
        }
        assertTrue(refused > tries / 2, refused + " of " + tries);
    }

    @Test
    void damagedIndexesAreReadOrMadeAnew(TestReporter reporter) throws InterruptedException, IOException {
        Path index = shelf.resolve(IndexFile.NAME);
        byte[] whole = Files.readAllBytes(index);
        Fuzz.Outcome outcome = new Fuzz("indexes", 4 << 20, 64).run(Math.min(Fuzz.tries(500), MOST_INDEXES), random -> {
            byte[] damaged = ByteDamage.damage(whole, whole, random);
            return random.nextBoolean() ? damaged : withChecksums(damaged);
        }, bytes -> {
            Files.write(index, bytes);
            try (LatentCache cache = new LatentCache(folder, 1 << 30)) {
                cache.list();
                if (!CacheSamples.serves(cache, 2)) {
                    // Checksums say that it was meant: the entry is still there, and verify finds it.
                    assertEquals(2, cache.verify().whole());
                    throw new ModelException("not found");
                }
            }
        });
        reporter.publishEntry("fuzz indexes", outcome.toString());
        assertTrue(outcome.read() > 0, outcome::toString);
    }

    @Test
    void damagedGraphsAreReadOrRefused(TestReporter reporter) throws InterruptedException, IOException {
        float[][] vectors = IntStream.range(0, PLACES)
            .mapToObj(number -> Projection.of(CacheSamples.conditioning(number))).toArray(float[][]::new);
        NeighbourFile file = new NeighbourFile(shelf, IndexFile.generation(shelf), () -> KeyLock.acquire(shelf));
        new Neighbours.Graph(Optional.of(file)).offer(vectors, PLACES, Runnable::run);
        Path graph = shelf.resolve(NeighbourFile.NAME);
        byte[] whole = Files.readAllBytes(graph);
        Fuzz.Outcome outcome = new Fuzz("graphs", 4 << 20, 64).run(Fuzz.tries(300), random -> {
            byte[] damaged = ByteDamage.damage(whole, whole, random);
            return random.nextBoolean() ? damaged : withChecksum(damaged);
        }, bytes -> {
            Files.write(graph, bytes);
            try {
                file.read(PLACES).orElseThrow();
            } catch (IOException refused) {
                throw new ModelException(String.valueOf(refused.getMessage()), refused);
            }
            Neighbours.Graph restored = new Neighbours.Graph(Optional.of(file));
            restored.offer(vectors, PLACES, Runnable::run);
            assertEquals(PLACES, restored.search(vectors[1], 5, any -> true, new Neighbours.Nearest(5)));
        });
        reporter.publishEntry("fuzz graphs", outcome.toString());
        assertTrue(outcome.refused() > 0 && outcome.read() > 0, outcome::toString);
    }

    private static byte[] withChecksum(byte[] whole) {
        if (whole.length < 8) {
            return whole;
        }
        ByteBuffer file = ByteBuffer.wrap(whole.clone()).order(ByteOrder.LITTLE_ENDIAN);
        CRC32C checksum = new CRC32C();
        checksum.update(whole, 0, whole.length - 8);
        file.putInt(whole.length - 8, (int) checksum.getValue());
        return file.array();
    }

    private static byte[] withChecksums(byte[] whole) {
        ByteBuffer file = ByteBuffer.wrap(whole.clone());
        int at = 20;
        while (at + 8 <= whole.length) {
            int length = file.getInt(at);
            if (length < 1 || length > whole.length - at - 8) {
                break;
            }
            CRC32C checksum = new CRC32C();
            checksum.update(ByteBuffer.allocate(8).putLong(at).flip());
            checksum.update(whole, at + 4, length);
            file.putInt(at + 4 + length, (int) checksum.getValue());
            at += 8 + length;
        }
        return file.array();
    }
}
