package dev.slipstream.samples.latents;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.cache.CacheKey;
import dev.slipstream.pipelines.cache.Entry;
import dev.slipstream.pipelines.cache.HalfTensor;
import dev.slipstream.pipelines.cache.LatentCache;
import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.SchemaCheck;
import dev.slipstream.samples.terminal.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CacheCommandTest {
    @TempDir
    private Path parent;

    private Path folder;

    @BeforeEach
    void name() {
        folder = parent.resolve("latents");
    }

    private CommandRun cache(String... words) {
        return CommandRun.of(Stream.of(Stream.of("cache"), Stream.of(words), Stream.of("--folder", folder.toString()))
            .flatMap(it -> it).toArray(String[]::new));
    }

    private void put(String namespace, String prompt) {
        Map<String, String> facts = new HashMap<>();
        CacheKey.NEEDED.forEach(name -> facts.put(name, name));
        facts.put(CacheKey.STEPS, "50");
        facts.put(CacheKey.LATENTS, "[1, 4, 2, 2]");
        try (LatentCache cache = new LatentCache(folder, LatentCache.DEFAULT_MAX_BYTES)) {
            HalfTensor tensor = HalfTensor.of(Shape.of(1, 4, 2, 2), new float[16]);
            cache.put(Entry.of(CacheKey.of(facts).in(namespace), cache.mark(prompt, 1), tensor,
                new TreeMap<>(Map.of(5, tensor, 10, tensor)), 0.5));
        }
    }

    @Test
    void picturesAreListedWithoutTheirPrompts() {
        put("tenant-7", "a red star");
        put("default", "a blue circle");
        CommandRun run = cache("list");
        assertEquals(ExitCode.OK, run.code(), run.err());
        List<String> lines = run.out().lines().toList();
        assertTrue(lines.getFirst().matches("namespace +id +latents +steps +size +hits +saved +last used"), run.out());
        assertTrue(lines.stream().anyMatch(line -> line.matches("tenant-7 +[0-9a-f]{12} +\\[1, 4, 2, 2] +50 .* 0 +0.0 s"
            + " +\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d")), run.out());
        assertTrue(lines.getLast().matches("2 pictures, .*B, 0 hits, 0.0 s saved, in " + folder), run.out());

        CommandRun json = cache("list", "--json");
        SchemaCheck.assertFits("cache list", json.out());
        JsonObject picture = json.json().getAsJsonArray("pictures").get(0).getAsJsonObject();
        assertEquals("[5,10]", picture.get("steps").toString());
        assertTrue(!json.out().contains("star") && !json.out().contains("circle"), json.out());
    }

    @Test
    void whatIsDamagedIsFoundAndDeleted() throws IOException {
        put("default", "a red star");
        assertEquals("1 picture whole, 0 damaged and deleted, in " + folder, cache("verify").out().strip());
        try (Stream<Path> files = Files.walk(folder)) {
            Path entry = files.filter(file -> file.toString().endsWith(".entry")).findFirst().orElseThrow();
            byte[] bytes = Files.readAllBytes(entry);
            bytes[bytes.length / 2] ^= 1;
            Files.write(entry, bytes);
        }
        CommandRun run = cache("verify");
        assertEquals("0 pictures whole, 1 damaged and deleted, in " + folder, run.out().strip());
        assertEquals(ExitCode.FAILED, run.code());
        assertEquals(ExitCode.OK, cache("verify").code());
    }

    @Test
    void aNamespaceIsClearedAndOthersStay() {
        put("tenant-7", "a red star");
        put("default", "a blue circle");
        assertTrue(cache("clear", "tenant-7").out().matches(".*B freed in " + folder + "\n"));
        assertTrue(Files.notExists(folder.resolve("tenant-7")));
        assertTrue(cache("list").out().contains("1 picture,"));
        cache("clear");
        assertTrue(cache("list").out().startsWith("0 pictures, 0 B, 0 hits"));
    }

    @Test
    void aCacheThatIsNotThereIsEmptyAndStaysAway() {
        assertEquals("0 pictures, 0 B, 0 hits, 0.0 s saved, in " + folder, cache("list").out().strip());
        assertEquals(ExitCode.OK, cache("verify").code());
        assertEquals(ExitCode.OK, cache("clear").code());
        assertTrue(Files.notExists(folder));
    }
}
