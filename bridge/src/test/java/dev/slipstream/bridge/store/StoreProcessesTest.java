package dev.slipstream.bridge.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Several processes on one store. */
@Timeout(120)
class StoreProcessesTest {
    @TempDir
    private Path parent;

    private Path folder() {
        return parent.resolve("engines");
    }

    private List<String> names() throws IOException {
        try (Stream<Path> entries = Files.list(folder())) {
            return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void anEngineThatThreeProcessesWantAtOnceIsBuiltOnce() throws Exception {
        Path log = parent.resolve("builds");
        List<Process> others = new ArrayList<>();
        for (int index = 0; index < 2; index++) {
            others.add(StoreProcess.start(folder(), "build", log.toString()));
        }
        for (Process other : others) {
            StoreProcess.awaitReady(other);
        }
        for (Process other : others) {
            StoreProcess.go(other);
        }
        byte[] engine = Samples.engine(1, 8 << 20);
        try (Arena arena = Arena.ofConfined()) {
            assertArrayEquals(engine, Samples.bytes(new EngineStore(folder(), 1 << 30)
                .getOrBuild(Samples.key(1), arena, () -> {
                    StoreProcess.note(log);
                    return MemorySegment.ofArray(engine);
                })));
        }
        for (Process other : others) {
            assertEquals(0, other.waitFor());
        }
        assertEquals("built\n", Files.readString(log));
        assertEquals(List.of(Samples.key(1).id() + ".engine"), names());
    }

    @Test
    void theRestsOfAWriterStayWhileItLivesAndGoWhenItIsKilled() throws Exception {
        EngineStore store = new EngineStore(folder(), 1 << 30);
        Process writer = StoreProcess.start(folder(), "hold");
        try {
            StoreProcess.awaitReady(writer);
            List<String> rests = names();
            assertEquals(2, rests.size(), rests.toString());
            Samples.get(store, 2, Samples.engine(2));
            store.clear();
            assertEquals(rests, names());
        } finally {
            writer.destroyForcibly().waitFor();
        }
        byte[] engine = Samples.engine(1);
        assertArrayEquals(engine, Samples.get(store, 1, engine));
        assertEquals(List.of(Samples.key(1).id() + ".engine"), names());
    }

    @Test
    void clearingInOneProcessLeavesTheMappingsOfAnother() throws Exception {
        Process writer = StoreProcess.start(folder(), "write", "1");
        try (Arena arena = Arena.ofConfined()) {
            StoreProcess.awaitReady(writer);
            StoreProcess.go(writer);
            // The other process deletes and replaces this file all the time.
            EngineStore store = new EngineStore(folder(), 1 << 30);
            List<MemorySegment> mapped = new ArrayList<>();
            for (int round = 0; round < 5; round++) {
                for (int number = 0; number < StoreProcess.ENGINES; number++) {
                    byte[] engine = Samples.engine(number);
                    mapped.add(store.getOrBuild(Samples.key(number), arena, () -> MemorySegment.ofArray(engine)));
                    assertArrayEquals(engine, Samples.bytes(mapped.getLast()), "engine " + number);
                }
                assertTrue(writer.isAlive());
            }
            store.clear();
            for (int index = 0; index < mapped.size(); index++) {
                assertArrayEquals(Samples.engine(index % StoreProcess.ENGINES), Samples.bytes(mapped.get(index)));
            }
        } finally {
            writer.destroyForcibly().waitFor();
        }
    }
}
