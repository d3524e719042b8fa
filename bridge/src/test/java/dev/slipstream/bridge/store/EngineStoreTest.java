package dev.slipstream.bridge.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EngineStoreTest {
    @TempDir
    private Path parent;
    private Path folder;
    private EngineStore store;

    @BeforeEach
    void open() {
        folder = parent.resolve("engines");
        store = new EngineStore(folder, 1 << 30);
    }

    private List<String> names() throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void anEngineIsBuiltOnceAndThenMappedFromItsFile() throws IOException {
        byte[] engine = Samples.engine(1);
        assertArrayEquals(engine, Samples.get(store, 1, engine));
        assertArrayEquals(engine, Samples.get(store, 1));
        assertArrayEquals(engine, Samples.get(new EngineStore(folder, 1 << 30), 1));
        assertEquals(List.of(Samples.key(1).id() + ".engine"), names());
    }

    @Test
    void theBytesAreReadOnlyMappedAndBeginAtAPage() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment engine =
                store.getOrBuild(Samples.key(1), arena, () -> MemorySegment.ofArray(Samples.engine(1)));
            assertTrue(engine.isReadOnly() && engine.isMapped());
            assertEquals(0, engine.address() % 4096);
        }
    }

    @Test
    void threadsThatWantTheSameEngineBuildItOnceAlsoThroughSeveralStores() throws Exception {
        int threads = 8;
        AtomicInteger builds = new AtomicInteger();
        CyclicBarrier begin = new CyclicBarrier(threads);
        byte[] engine = Samples.engine(1);
        Callable<byte[]> task = () -> {
            EngineStore own = new EngineStore(folder, 1 << 30);
            begin.await();
            try (Arena arena = Arena.ofConfined()) {
                return Samples.bytes(own.getOrBuild(Samples.key(1), arena, () -> {
                    builds.incrementAndGet();
                    return MemorySegment.ofArray(engine);
                }));
            }
        };
        try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
            for (Future<byte[]> result : pool.invokeAll(Collections.nCopies(threads, task))) {
                assertArrayEquals(engine, result.get());
            }
        }
        assertEquals(1, builds.get());
        assertEquals(List.of(Samples.key(1).id() + ".engine"), names());
    }

    @Test
    void aBuildThatFailsIsPassedOnAndTheNextOneTries() throws IOException {
        RuntimeException failure = new IllegalStateException("out of memory");
        try (Arena arena = Arena.ofConfined()) {
            assertSame(failure, assertThrows(IllegalStateException.class,
                () -> store.getOrBuild(Samples.key(1), arena, () -> {
                    throw failure;
                })));
        }
        assertEquals(List.of(), names());
        assertArrayEquals(Samples.engine(1), Samples.get(store, 1, Samples.engine(1)));
    }

    @Test
    void anEngineWithoutBytesIsRefused() {
        assertThrows(IllegalStateException.class, () -> Samples.get(store, 1, new byte[0]));
        assertEquals(List.of(), store.list());
    }

    @Test
    void aFolderThatCannotBeMadeCostsOnlyTheTimeToBuild() throws IOException {
        Files.writeString(folder, "a file where the folder should be");
        byte[] engine = Samples.engine(1);
        assertArrayEquals(engine, Samples.get(store, 1, engine));
        byte[] again = Samples.engine(2);
        assertArrayEquals(again, Samples.get(store, 1, again), "nothing was kept");
        store.storeTimingCache("Toy", MemorySegment.ofArray(engine));
        assertEquals("a file where the folder should be", Files.readString(folder));
    }

    @Test
    void aReadOnlyFolderStillServesWhatItHas() throws IOException {
        Samples.get(store, 1, Samples.engine(1));
        assertTrue(folder.toFile().setWritable(false));
        try {
            assertArrayEquals(Samples.engine(1), Samples.get(store, 1));
            assertArrayEquals(Samples.engine(2), Samples.get(store, 2, Samples.engine(2)));
        } finally {
            assertTrue(folder.toFile().setWritable(true));
        }
    }

    @Test
    void anInterruptionNeitherStopsTheStoreNorGetsLost() throws IOException {
        List<byte[]> results = new ArrayList<>();
        Thread.currentThread().interrupt();
        results.add(Samples.get(store, 1, Samples.engine(1)));
        results.add(Samples.get(store, 1));
        boolean flag = Thread.interrupted();
        assertTrue(flag);
        results.forEach(result -> assertArrayEquals(Samples.engine(1), result));
        assertEquals(List.of(Samples.key(1).id() + ".engine"), names());
    }

    @Test
    void theListTellsWhatThereIsAndWhenItWasUsed() {
        Samples.get(store, 1, Samples.engine(1));
        Samples.get(store, 2, Samples.engine(2));
        Samples.get(store, 1);
        List<EngineEntry> entries = store.list();
        assertEquals(List.of("engine 1", "engine 2"), entries.stream().map(EngineEntry::name).toList());
        EngineEntry first = entries.getFirst();
        assertEquals(Samples.key(1).id(), first.id());
        assertEquals(Samples.key(1).parts(), first.parts());
        assertEquals(folder.resolve(first.id() + ".engine").toFile().length(), first.bytes());
        assertFalse(first.lastUsed().isBefore(first.created()));
    }

    @Test
    void aStoreThatIsNotThereIsEmpty() {
        assertEquals(List.of(), store.list());
        assertEquals(0, store.clear());
        assertFalse(store.remove(Samples.key(1).id()));
        assertFalse(Files.exists(folder));
    }

    @Test
    void whatIsRemovedIsBuiltAgain() {
        Samples.get(store, 1, Samples.engine(1));
        assertTrue(store.remove(Samples.key(1).id()));
        assertFalse(store.remove(Samples.key(1).id()));
        assertArrayEquals(Samples.engine(2), Samples.get(store, 1, Samples.engine(2)));
    }

    @Test
    void onlyAnIdCanBeRemoved() {
        for (String id : List.of("", "x", "../" + Samples.key(1).id(), Samples.key(1).id() + "/")) {
            assertThrows(IllegalArgumentException.class, () -> store.remove(id), id);
        }
    }

    @Test
    void timingCachesAreReplacedAndKeptApart() {
        try (Arena arena = Arena.ofConfined()) {
            assertTrue(store.timingCache("Toy 1, Abacus", arena).isEmpty());
            store.storeTimingCache("Toy 1, Abacus", MemorySegment.ofArray(Samples.engine(1)));
            store.storeTimingCache("Toy 1, Abacus", MemorySegment.ofArray(Samples.engine(2)));
            store.storeTimingCache("Toy 2, Abacus", MemorySegment.ofArray(Samples.engine(3)));
            assertArrayEquals(Samples.engine(2), Samples.bytes(store.timingCache("Toy 1, Abacus", arena).get()));
            assertArrayEquals(Samples.engine(3), Samples.bytes(store.timingCache("Toy 2, Abacus", arena).get()));
        }
    }

    @Test
    void thePropertyNamesTheFolder() {
        String before = System.getProperty(EngineStore.FOLDER_PROPERTY);
        try {
            System.setProperty(EngineStore.FOLDER_PROPERTY, folder.toString());
            assertEquals(folder, EngineStore.ofUser().folder());
            System.clearProperty(EngineStore.FOLDER_PROPERTY);
            assertTrue(System.getenv(EngineStore.FOLDER_VARIABLE) != null
                || EngineStore.defaultFolder().endsWith(Path.of("slipstream", "engines")));
        } finally {
            if (before != null) {
                System.setProperty(EngineStore.FOLDER_PROPERTY, before);
            }
        }
    }
}
