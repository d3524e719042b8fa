package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.folder.RandomModel;
import dev.slipstream.pipelines.model.folder.RandomModel.Family;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Models as the cache of the Hugging Face hub keeps them: every file a link to one that is named by its contents. */
@Timeout(120)
class HubCacheTest {
    @TempDir
    private Path top;

    private Path repository() {
        return top.resolve("models--some--tiny-model");
    }

    /** The same model as a snapshot of the cache. */
    private Path snapshot(Path model) throws IOException {
        Path blobs = Files.createDirectories(repository().resolve("blobs"));
        Path snapshot = repository().resolve("snapshots").resolve("4f1c2a");
        List<Path> files;
        try (Stream<Path> all = Files.walk(model)) {
            files = all.filter(Files::isRegularFile).sorted().toList();
        }
        for (Path file : files) {
            Path blob = Files.copy(file, blobs.resolve("blob" + files.indexOf(file)));
            Path link = snapshot.resolve(model.relativize(file));
            Files.createDirectories(link.getParent());
            try {
                Files.createSymbolicLink(link, link.getParent().relativize(blob));
            } catch (IOException | UnsupportedOperationException notHere) {
                assumeTrue(false, "symbolic links are not possible here: " + notHere);
            }
        }
        return snapshot;
    }

    private static byte[] draw(Path model) {
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(model).devices("cpu:1", "cpu:1")
            .plan("asyncdiff:warmup=1").open()) {
            return pipeline.submit(FamiliesTest.request(Family.SDXL)).result().join().image().rgb();
        }
    }

    @Test
    void aSnapshotDrawsWhatTheModelItselfDrawsAndHasTheHubsName() throws IOException {
        Path model = Files.createDirectories(top.resolve("model"));
        RandomModel.write(model, Family.SDXL);

        Path snapshot = snapshot(model);

        assertArrayEquals(draw(model), draw(snapshot));
        assertEquals("some/tiny-model", ModelFolder.open(snapshot).name());
        assertEquals(repository() + " is a repository in the hub's cache; give a snapshot of it, such as " + snapshot,
            assertThrows(ModelException.class, () -> ModelFolder.open(repository())).getMessage());
    }
}
