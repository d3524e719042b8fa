package dev.slipstream.bridge.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.file.DamagedFileException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever happens to a stored file, it is never served; and where the store has a say, it is built again. */
class DamageTest {
    private static final int PAGE = 4096;
    private static final int TRAILER = 8;

    @TempDir
    private Path folder;
    private EngineStore store;
    private Path file;
    private byte[] engine;
    private byte[] whole;

    @BeforeEach
    void store() throws IOException {
        store = new EngineStore(folder, 1 << 30);
        engine = Samples.engine(1, 9_001);
        Samples.get(store, 1, engine);
        file = folder.resolve(Samples.key(1).id() + ".engine");
        whole = Files.readAllBytes(file);
        assertEquals(PAGE + engine.length + TRAILER, whole.length);
    }

    private void assertDamaged(byte[] bytes, String how) throws IOException {
        Files.write(file, bytes);
        try (Arena arena = Arena.ofConfined()) {
            assertThrows(DamagedFileException.class, () -> StoredFile.read(file, Samples.key(1), arena), how);
        }
    }

    private void assertRebuilt() throws IOException {
        byte[] fresh = Samples.engine(77, 5_000);
        assertArrayEquals(fresh, Samples.get(store, 1, fresh));
        assertArrayEquals(fresh, Samples.get(store, 1));
    }

    /** Header and trailer byte by byte, and some places of the padding and the payload. */
    private IntStream places() {
        int header = 24 + new Label(Samples.key(1), Instant.EPOCH).encoded().length;
        SplittableRandom random = new SplittableRandom(3);
        return Stream.of(IntStream.range(0, header), random.ints(100, header, PAGE),
            random.ints(200, PAGE, whole.length - TRAILER), IntStream.range(whole.length - TRAILER, whole.length))
            .flatMapToInt(it -> it);
    }

    @Test
    void aFlippedBitIsFound() throws IOException {
        for (int place : places().toArray()) {
            byte[] flipped = whole.clone();
            flipped[place] ^= (byte) (1 << place % 8);
            assertDamaged(flipped, "bit " + place % 8 + " of byte " + place);
        }
    }

    @Test
    void aFileThatIsCutOffIsFound() throws IOException {
        for (int length : places().toArray()) {
            assertDamaged(Arrays.copyOf(whole, length), "cut off at " + length);
        }
    }

    @Test
    void aFileThatWasCutOffAndFilledWithZerosIsFound() throws IOException {
        // As some file systems leave one after a power cut.
        for (int length : places().filter(length -> length < whole.length - 4).toArray()) {
            byte[] torn = Arrays.copyOf(Arrays.copyOf(whole, length), whole.length);
            if (!Arrays.equals(torn, whole)) {
                assertDamaged(torn, "zeros from " + length);
            }
        }
    }

    @Test
    void aFileThatIsTooLongIsFound() throws IOException {
        assertDamaged(Arrays.copyOf(whole, whole.length + 1), "a zero more");
        byte[] twice = Arrays.copyOf(whole, 2 * whole.length);
        System.arraycopy(whole, 0, twice, whole.length, whole.length);
        assertDamaged(twice, "twice");
    }

    @Test
    void damagedFilesAreBuiltAgain() throws IOException {
        for (int place : new int[] {0, 9, 13, 17, 30, 500, PAGE, PAGE + 4_000, whole.length - 5, whole.length - 1}) {
            byte[] flipped = whole.clone();
            flipped[place] ^= 1;
            Files.write(file, flipped);
            assertRebuilt();
            Files.write(file, Arrays.copyOf(whole, place));
            assertRebuilt();
        }
    }

    @Test
    void aFileOfAnotherVersionIsBuiltAgain() throws IOException {
        byte[] other = whole.clone();
        ByteBuffer.wrap(other).order(ByteOrder.LITTLE_ENDIAN).putInt(8, StoredFile.VERSION + 1);
        assertDamaged(other, "version");
        assertRebuilt();
    }

    @Test
    void aWholeFileOfAnotherEngineIsBuiltAgain() throws IOException {
        Samples.get(store, 2, Samples.engine(2));
        assertDamaged(Files.readAllBytes(folder.resolve(Samples.key(2).id() + ".engine")), "another key");
        assertRebuilt();
    }

    @Test
    void aLinkIsNotFollowedAndIsReplaced(@TempDir Path elsewhere) throws IOException {
        Path target = elsewhere.resolve("other");
        Files.move(file, target);
        Files.createSymbolicLink(file, target);
        assertRebuilt();
        assertTrue(Files.isRegularFile(file));
        assertArrayEquals(whole, Files.readAllBytes(target));
    }

    @Test
    void aFolderInItsPlaceCostsOnlyTheTimeToBuild() throws IOException {
        Files.delete(file);
        Files.createDirectories(file.resolve("inside"));
        assertArrayEquals(engine, Samples.get(store, 1, engine));
        assertTrue(Files.isDirectory(file.resolve("inside")));
    }

    @Test
    void aDamagedTimingCacheIsForgotten() throws IOException {
        store.storeTimingCache("Toy", MemorySegment.ofArray(engine));
        Path cache = folder.resolve(timing());
        byte[] bytes = Files.readAllBytes(cache);
        bytes[PAGE] ^= 1;
        Files.write(cache, bytes);
        try (Arena arena = Arena.ofConfined()) {
            assertTrue(store.timingCache("Toy", arena).isEmpty());
        }
        assertTrue(Files.notExists(cache));
    }

    private String timing() throws IOException {
        try (var entries = Files.list(folder)) {
            return entries.map(entry -> entry.getFileName().toString()).filter(name -> name.endsWith(".timing"))
                .findFirst().orElseThrow();
        }
    }
}
