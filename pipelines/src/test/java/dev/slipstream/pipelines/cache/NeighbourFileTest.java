package dev.slipstream.pipelines.cache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.file.DamagedFileException;
import dev.slipstream.bridge.file.KeyLock;
import dev.slipstream.pipelines.cache.NeighbourFile.Layer;
import dev.slipstream.pipelines.cache.NeighbourFile.Links;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A graph of neighbours is kept beside the index. */
@Timeout(60)
class NeighbourFileTest {
    private static final int PLACES = 60;
    private static final int ENTRIES = 30;
    private static final int WORTH_A_GRAPH = 20;

    @TempDir
    private Path folder;

    /** That of the shelf in the folder, with an index of a new generation. */
    private NeighbourFile file() throws IOException {
        new IndexFile(folder).rewrite(List.of());
        return new NeighbourFile(folder, IndexFile.generation(folder), () -> KeyLock.acquire(folder));
    }

    private static float[][] vectors(int count) {
        return IntStream.range(0, count).mapToObj(number -> Projection.of(CacheSamples.conditioning(number)))
            .toArray(float[][]::new);
    }

    /** Each place is linked to the one before and the one behind it, as no building would do. */
    private static Links chain(int count) {
        return new Links(3, List.of(new Layer(IntStream.range(0, count).toArray(), IntStream.range(0, count)
            .mapToObj(place -> IntStream.of(place - 1, place + 1).filter(it -> it >= 0 && it < count).toArray())
            .toArray(int[][]::new)), new Layer(new int[] {1, 3}, new int[][] {{3}, {1}})));
    }

    private static void assertSame(Links expected, Links links) {
        assertEquals(expected.entry(), links.entry());
        assertEquals(expected.layers().size(), links.layers().size());
        for (int level = 0; level < expected.layers().size(); level++) {
            assertArrayEquals(expected.layers().get(level).places(), links.layers().get(level).places());
            for (int i = 0; i < expected.layers().get(level).linked().length; i++) {
                assertArrayEquals(expected.layers().get(level).linked()[i],
                    IntStream.of(links.layers().get(level).linked()[i]).sorted().toArray());
            }
        }
    }

    @Test
    void whatIsWrittenIsReadAgain() throws IOException {
        NeighbourFile file = file();
        file.write(chain(PLACES));
        assertSame(chain(PLACES), file.read(PLACES).orElseThrow());
        assertEquals(Optional.empty(), file.read(PLACES - 1));
    }

    @Test
    void aGraphOfAnotherGenerationIsRefusedAndNeverWritten() throws IOException {
        NeighbourFile before = file();
        before.write(chain(PLACES));
        NeighbourFile after = file();
        assertThrows(DamagedFileException.class, () -> after.read(PLACES));
        before.write(chain(PLACES + 1));
        assertThrows(DamagedFileException.class, () -> after.read(PLACES + 1));
        after.write(chain(4));
        assertEquals(4, after.read(PLACES).orElseThrow().places());
    }

    @Test
    void aFileThatKnowsMoreStays() throws IOException {
        NeighbourFile file = file();
        file.write(chain(PLACES));
        file.write(chain(PLACES - 1));
        assertEquals(PLACES, file.read(PLACES).orElseThrow().places());
    }

    @Test
    void linksThatAreKeptAreNotBuiltAgain() throws IOException {
        NeighbourFile file = file();
        file.write(chain(PLACES));
        Neighbours.Graph graph = new Neighbours.Graph(Optional.of(file));
        float[][] vectors = vectors(PLACES);
        graph.offer(vectors, PLACES, Runnable::run);
        assertSame(chain(PLACES), graph.links());
        for (int place = 0; place < PLACES; place++) {
            Neighbours.Nearest nearest = new Neighbours.Nearest(1);
            assertEquals(PLACES, graph.search(vectors[place], 1, any -> true, nearest));
            assertArrayEquals(new int[] {place}, nearest.places());
        }
    }

    @Test
    void linksOfPlacesThatAreNotKnownYetAreReadLater() throws IOException {
        NeighbourFile file = file();
        file.write(chain(PLACES));
        Neighbours.Graph graph = new Neighbours.Graph(Optional.of(file));
        graph.offer(vectors(PLACES), PLACES - 1, Runnable::run);
        assertEquals(0, graph.size());
        graph.offer(vectors(PLACES), PLACES, Runnable::run);
        assertSame(chain(PLACES), graph.links());
    }

    @Test
    void whatIsNewIsAddedToKeptLinks() throws IOException {
        NeighbourFile file = file();
        float[][] vectors = vectors(3 * PLACES);
        Neighbours.Graph first = new Neighbours.Graph(Optional.of(file));
        first.offer(vectors, PLACES, Runnable::run);
        assertSame(sorted(first.links()), file.read(PLACES).orElseThrow());
        Neighbours.Graph second = new Neighbours.Graph(Optional.of(file));
        second.offer(vectors, vectors.length, Runnable::run);
        for (int place = 0; place < vectors.length; place++) {
            Neighbours.Nearest nearest = new Neighbours.Nearest(1);
            assertEquals(vectors.length, second.search(vectors[place], 1, any -> true, nearest));
            assertArrayEquals(new int[] {place}, nearest.places());
        }
        assertEquals(vectors.length, file.read(vectors.length).orElseThrow().places());
    }

    private static Links sorted(Links links) {
        return new Links(links.entry(), links.layers().stream().map(layer -> new Layer(layer.places(),
            IntStream.range(0, layer.linked().length).mapToObj(i -> IntStream.of(layer.linked()[i]).sorted().toArray())
                .toArray(int[][]::new))).toList());
    }

    private LatentCache cache() {
        return new LatentCache(folder, 1 << 30, WORTH_A_GRAPH);
    }

    private Path graph() {
        return folder.resolve("default").resolve(CacheSamples.key().id()).resolve(NeighbourFile.NAME);
    }

    /** A cache that has been looked up until its graph was there. */
    private void fill() throws IOException {
        try (LatentCache cache = cache()) {
            IntStream.range(0, ENTRIES).forEach(number -> CacheSamples.put(cache, number));
            awaitGraph(cache);
        }
    }

    private void awaitGraph(LatentCache cache) throws IOException {
        do {
            assertAllServe(cache);
        } while (!isWhole());
    }

    private boolean isWhole() throws IOException {
        try {
            Path shelf = graph().getParent();
            return new NeighbourFile(shelf, IndexFile.generation(shelf), () -> KeyLock.acquire(shelf)).read(ENTRIES)
                .isPresent();
        } catch (NoSuchFileException | DamagedFileException notYet) {
            return false;
        }
    }

    private static void assertAllServe(LatentCache cache) {
        IntStream.range(0, ENTRIES).forEach(number -> assertTrue(CacheSamples.serves(cache, number)));
    }

    @Test
    void aCacheThatIsOpenedAgainReadsTheGraphAndLeavesItAsItIs() throws IOException {
        fill();
        Files.setLastModifiedTime(graph(), FileTime.fromMillis(1000));
        try (LatentCache again = cache()) {
            assertAllServe(again);
        }
        assertEquals(FileTime.fromMillis(1000), Files.getLastModifiedTime(graph()));
    }

    @Test
    void aDamagedGraphIsBuiltAgain() throws IOException {
        fill();
        byte[] whole = Files.readAllBytes(graph());
        whole[whole.length / 2] ^= 4;
        Files.write(graph(), whole);
        assertFalse(isWhole());
        try (LatentCache again = cache()) {
            awaitGraph(again);
        }
    }

    @Test
    void clearingLeavesNoGraph() throws IOException {
        fill();
        try (LatentCache cache = cache()) {
            cache.clear();
        }
        assertFalse(Files.exists(folder.resolve("default")));
    }
}
