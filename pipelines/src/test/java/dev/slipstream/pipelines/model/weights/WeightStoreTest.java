package dev.slipstream.pipelines.model.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.file.AtomicFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WeightStoreTest {
    private static final String A = "a".repeat(64);
    private static final String B = "b".repeat(64);
    private static final String C = "c".repeat(64);

    @TempDir
    private Path folder;

    private static void kilobyte(Path merge) throws IOException {
        Files.write(merge.resolve("changed.safetensors"), new byte[1000]);
    }

    private WeightStore.Claim claim(long maxBytes, String id) throws IOException {
        return new WeightStore(folder, maxBytes).claim(id, WeightStoreTest::kilobyte);
    }

    /** Makes a merge that was used some days ago. */
    private void old(String id, int days) throws IOException {
        claim(Long.MAX_VALUE, id).close();
        Files.setLastModifiedTime(folder.resolve(id), FileTime.from(Instant.now().minusSeconds(days * 86_400L)));
    }

    private List<String> names() throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void whatWasNotUsedForLongestGoesFirst() throws IOException {
        old(A, 2);
        old(B, 3);
        claim(2500, C).close();
        assertEquals(List.of(A, C), names());
    }

    @Test
    void openingIsUsing() throws IOException {
        old(A, 3);
        old(B, 2);
        claim(Long.MAX_VALUE, A).close();
        claim(2500, C).close();
        assertEquals(List.of(A, C), names());
    }

    @Test
    void whatIsInUseStaysWhateverTheBound() throws IOException {
        old(A, 1);
        try (WeightStore.Claim first = claim(0, A); WeightStore.Claim second = claim(0, A)) {
            first.close();
            claim(0, B).close();
            assertTrue(Files.isDirectory(second.merge()), "another still uses it");
        }
        claim(0, C).close();
        assertEquals(List.of(C), names(), "the last one stays until another comes");
    }

    @Test
    void linksToACheckpointTakeNoRoom() throws IOException {
        Assumptions.assumeTrue(Files.getFileStore(folder).supportsFileAttributeView("unix"), "needs counts of links");
        Path checkpoint = Files.write(Files.createTempFile(folder, "model", ".safetensors"), new byte[9000]);
        claim(Long.MAX_VALUE, A).close();
        Files.createLink(folder.resolve(A).resolve("base-0.safetensors"), checkpoint);
        claim(2500, B).close();
        assertTrue(names().containsAll(List.of(A, B)), names().toString());
        Files.delete(checkpoint);
        claim(2500, B).close();
        assertEquals(List.of(B), names());
    }

    @Test
    void whatDeadWritersLeftIsDeletedAndOtherFilesAreNot() throws IOException {
        Files.createDirectory(folder.resolve("." + A + "." + UUID.randomUUID() + ".tmp"));
        Files.createFile(folder.resolve(B + "." + UUID.randomUUID() + ".lock"));
        Files.createDirectory(folder.resolve("mine"));
        old(B, 1);
        claim(0, C).close();
        assertEquals(List.of(C, "mine"), names());
    }

    @Test
    void aMergeThatFailsLeavesNothing() throws IOException {
        AtomicFolder.Contents failing = merge -> {
            throw new IOException("no room");
        };
        assertThrows(IOException.class, () -> new WeightStore(folder, 0).claim(A, failing));
        assertEquals(List.of(), names());
    }
}
