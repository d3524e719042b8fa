package dev.slipstream.bridge.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.EngineSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EngineKeyTest {
    private static final Map<String, String> TARGET = Map.of(EngineKey.COMPILER, "TensorRT 10.15.1", EngineKey.GPU,
        "NVIDIA H200", EngineKey.ARCHITECTURE, "sm_90", EngineKey.OPTIONS, "level=3");

    @TempDir
    private Path folder;

    private EngineSource source(String graph) {
        return new EngineSource("unet", ByteBuffer.wrap(graph.getBytes()), Optional.of(folder), Map.of());
    }

    private String id(String graph) {
        return EngineKey.of(source(graph), TARGET).id();
    }

    @Test
    void theIdIsTheSameForTheSameParts() {
        Map<String, String> reversed = new LinkedHashMap<>();
        new TreeMap<>(TARGET).descendingMap().forEach(reversed::put);
        EngineKey key = EngineKey.of(source("graph"), TARGET);
        assertEquals(key, EngineKey.of(source("graph"), reversed));
        assertEquals(key.id(), new EngineKey("another name", key.parts()).id());
        assertTrue(key.id().matches("[0-9a-f]{64}"), key.id());
        // Ids outlive versions of this program: what changes them makes all stores useless.
        assertEquals("0529c146bc7a0e8efd50446bb6a579e756f70eb178ddb3088aab1fb138b31c11",
            new EngineKey("x", Map.of("a", "1", "b", "2")).id());
    }

    @Test
    void everyPartOfTheTargetCounts() {
        String id = id("graph");
        for (String part : TARGET.keySet()) {
            Map<String, String> other = new TreeMap<>(TARGET);
            other.merge(part, "x", String::concat);
            assertNotEquals(id, EngineKey.of(source("graph"), other).id(), part);
        }
    }

    @Test
    void graphAndDimensionsCount() {
        assertNotEquals(id("graph"), id("grapf"));
        EngineSource fixed = new EngineSource("unet", ByteBuffer.wrap("graph".getBytes()), Optional.of(folder),
            Map.of("batch", 2L));
        assertNotEquals(id("graph"), EngineKey.of(fixed, TARGET).id());
    }

    @Test
    void partsCannotRunIntoOneAnother() {
        assertNotEquals(new EngineKey("x", Map.of("a", "bc")).id(), new EngineKey("x", Map.of("ab", "c")).id());
        assertNotEquals(new EngineKey("x", Map.of("a", "1,b=2")).id(),
            new EngineKey("x", Map.of("a", "1", "b", "2")).id());
    }

    @Test
    void weightFilesThatTheGraphMentionsCountAndOthersDoNot() throws IOException {
        Files.createDirectories(folder.resolve("parts"));
        Files.writeString(folder.resolve("model.onnx_data"), "weights");
        Files.writeString(folder.resolve("parts/größe.bin"), "weights");
        Files.writeString(folder.resolve("other.bin"), "weights");
        String graph = "..model.onnx_data..parts/größe.bin..";
        assertEquals(Set.of("model.onnx_data", "parts/größe.bin"), new WeightFiles(source(graph)).files().keySet());
        String id = id(graph);
        Files.writeString(folder.resolve("other.bin"), "changed");
        assertEquals(id, id(graph));
        Files.writeString(folder.resolve("parts/größe.bin"), "changed");
        assertNotEquals(id, id(graph));
    }

    @Test
    void weightsMayBeLinksAndLinksMayLeadInCircles(@TempDir Path elsewhere) throws IOException {
        Path blob = Files.writeString(elsewhere.resolve("0123abcd"), "weights");
        Files.createSymbolicLink(folder.resolve("weights.bin"), blob);
        Files.createSymbolicLink(folder.resolve("loop"), folder);
        String graph = "loop/loop/weights.bin";
        assertEquals(Set.of("weights.bin"), new WeightFiles(source(graph)).files().keySet());
        String id = id(graph);
        Files.writeString(blob, "changed");
        assertNotEquals(id, id(graph));
    }

    @Test
    void namesAreFoundAtBothEndsAndInsideOneAnother() {
        ByteBuffer bytes = ByteBuffer.wrap("xxab.bin.....ab.bin.gz...zzz".getBytes()).position(2).slice();
        assertEquals(Set.of("ab.bin", "ab.bin.gz", "zzz", "q"),
            WeightFiles.NameSearch.found(List.of("ab.bin", "ab.bin.gz", "zzz", "q", "xab", "zzzz", "bin.gy"), bytes));
    }

    @Test
    void whatAnEngineIsBoundToMustBeSaid() {
        for (String part : List.of(EngineKey.COMPILER, EngineKey.GPU, EngineKey.ARCHITECTURE)) {
            Map<String, String> incomplete = new TreeMap<>(TARGET);
            incomplete.put(part, " ");
            assertTrue(assertThrows(IllegalArgumentException.class,
                () -> EngineKey.of(source("graph"), incomplete)).getMessage().contains("lacks its " + part));
        }
        Map<String, String> clashing = new TreeMap<>(TARGET);
        clashing.put("weights", "none");
        assertThrows(IllegalArgumentException.class, () -> EngineKey.of(source("graph"), clashing));
    }

    @Test
    void aWeightFolderThatIsNotThereIsAnError() {
        EngineSource lost = new EngineSource("unet", ByteBuffer.wrap("graph".getBytes()),
            Optional.of(folder.resolve("lost")), Map.of());
        assertTrue(assertThrows(UncheckedIOException.class, () -> EngineKey.of(lost, TARGET)).getMessage()
            .contains("lost"));
    }

    @Test
    void theDigestOfALargeFileIsRememberedUntilTheFileChanges(@TempDir Path engines) throws IOException {
        EngineStore store = new EngineStore(engines, 1 << 30);
        Path weights = folder.resolve("weights.bin");
        Files.write(weights, Samples.engine(1, 9 << 20));
        FileTime then = FileTime.from(Instant.parse("2026-01-02T03:04:05Z"));
        Files.setLastModifiedTime(weights, then);
        EngineKey first = store.key(source("weights.bin"), TARGET);
        assertEquals(EngineKey.of(source("weights.bin"), TARGET), first);
        // Only who reads the file again can see this.
        Files.write(weights, Samples.engine(2, 9 << 20));
        Files.setLastModifiedTime(weights, then);
        assertEquals(first, new EngineStore(engines, 1 << 30).key(source("weights.bin"), TARGET));
        Files.setLastModifiedTime(weights, FileTime.from(then.toInstant().plusNanos(1_000)));
        assertEquals(EngineKey.of(source("weights.bin"), TARGET), store.key(source("weights.bin"), TARGET));
        assertNotEquals(first, store.key(source("weights.bin"), TARGET));
    }

    @Test
    void theDigestOfAFileThatWasJustWrittenIsNotRemembered(@TempDir Path engines) throws IOException {
        EngineStore store = new EngineStore(engines, 1 << 30);
        Files.write(folder.resolve("weights.bin"), Samples.engine(1, 9 << 20));
        store.key(source("weights.bin"), TARGET);
        assertEquals(0, engines.toFile().list().length);
    }

    /** As by a download that keeps the time of modification. */
    @Test
    void aFileOfAnotherSizeOrInTheOthersPlaceIsReadAgain(@TempDir Path engines) throws IOException {
        EngineStore store = new EngineStore(engines, 1 << 30);
        Path weights = folder.resolve("weights.bin");
        FileTime then = FileTime.from(Instant.parse("2026-01-02T03:04:05Z"));
        Files.write(weights, Samples.engine(1, 9 << 20));
        Files.setLastModifiedTime(weights, then);
        EngineKey first = store.key(source("weights.bin"), TARGET);
        Files.write(weights, Samples.engine(1, (9 << 20) + 1));
        Files.setLastModifiedTime(weights, then);
        EngineKey longer = store.key(source("weights.bin"), TARGET);
        assertNotEquals(first, longer);
        Path other = Files.write(folder.resolve("download"), Samples.engine(2, (9 << 20) + 1));
        Files.setLastModifiedTime(other, then);
        Files.move(other, weights, StandardCopyOption.REPLACE_EXISTING);
        assertNotEquals(longer, store.key(source("weights.bin"), TARGET));
        assertEquals(EngineKey.of(source("weights.bin"), TARGET), store.key(source("weights.bin"), TARGET));
    }

    @Test
    void aFileThatChangesWhileItIsReadIsAnErrorAndNotRemembered(@TempDir Path engines) throws Exception {
        EngineStore store = new EngineStore(engines, 1 << 30);
        Path weights = Files.write(folder.resolve("weights.bin"), Samples.engine(1, 32 << 20));
        AtomicBoolean over = new AtomicBoolean();
        FutureTask<Void> writing = new FutureTask<>(() -> {
            for (long second = 1; !over.get(); second++) {
                Files.setLastModifiedTime(weights, FileTime.from(Instant.ofEpochSecond(second)));
            }
            return null;
        });
        Thread.ofPlatform().daemon().start(writing);
        while (Files.getLastModifiedTime(weights).toInstant().isAfter(Instant.EPOCH.plus(Duration.ofDays(365)))) {
            Thread.onSpinWait();
        }
        String message = assertThrows(UncheckedIOException.class,
            () -> store.key(source("weights.bin"), TARGET)).getMessage();
        over.set(true);
        writing.get();
        assertTrue(message.contains("changed while it was read; wait until it is complete"), message);
        assertEquals(0, engines.toFile().list().length);
    }
}
