package dev.slipstream.samples.world;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.cache.LatentCache;
import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.reuse.CacheUse;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a cache of latents saves, and what becomes of the pictures. */
class TrafficTest {
    private static final Path MODEL = Path.of("model");
    private static final int REQUESTS = 60;

    @Test
    void whatIsSaidInWordsThatTheModelDoesNotKnowIsNotKept(@TempDir Path latents) {
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(MODEL).devices("cpu:1").plan("sequential")
                .latentCache(latents, LatentCache.DEFAULT_MAX_BYTES).open()) {
            for (String prompt : List.of("a big red star", "a large red star")) {
                pipeline.submit(ImageRequest.of(prompt).withSteps(2).withSeed(1).withCache(CacheUse.USE)).result()
                    .join();
            }
        }
        try (LatentCache cache = new LatentCache(latents, LatentCache.DEFAULT_MAX_BYTES)) {
            assertEquals(1, cache.list().size());
        }
    }

    /** The beginning of the 400 requests of docs/cache.md, when the cache is still rather empty. */
    @ParameterizedTest
    @Tag("slow")
    @ValueSource(strings = {"sequential", "asyncdiff:warmup=3"})
    void workIsSavedAndAsManyPicturesAreRight(String plan, TestReporter reporter, @TempDir Path model,
            @TempDir Path latents) throws IOException {
        TrafficRun run = TrafficRun.of(TrafficRun.measured(MODEL, model), latents, plan,
            new Traffic(18, 25).asks(REQUESTS), 25);
        reporter.publishEntry(plan, run.toString());
        assertEquals(List.of(), run.wrongHits());
        assertTrue(run.saved() > 0.1, run::toString);
        assertTrue(run.gained() >= -REQUESTS / 100.0, run::toString);
    }
}
