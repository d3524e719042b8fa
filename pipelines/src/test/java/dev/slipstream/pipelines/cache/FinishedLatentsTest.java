package dev.slipstream.pipelines.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import dev.slipstream.pipelines.cache.Answer.Hit;
import dev.slipstream.pipelines.cache.Answer.Miss;
import dev.slipstream.pipelines.cache.Answer.Reason;
import dev.slipstream.pipelines.cache.Thresholds.Level;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** When a finished picture serves, and when latents of the midst. */
class FinishedLatentsTest {
    private static final Level HALF = new Level(0.9, 0, 0.5);

    @TempDir
    private Path folder;

    private LatentCache cache;

    /** One that keeps latents after 2 and 5 steps and the finished ones. */
    @BeforeEach
    void put() {
        cache = new LatentCache(folder, LatentCache.DEFAULT_MAX_BYTES);
        SortedMap<Integer, HalfTensor> latents = CacheSamples.latents(1);
        latents.put(CacheSamples.STEPS, CacheSamples.tensor(CacheSamples.LATENTS, 77));
        cache.put(Entry.of(CacheSamples.key(), cache.mark(CacheSamples.prompt(1), 1), CacheSamples.conditioning(1),
            latents, 0.1));
    }

    private Answer ask(List<Level> levels, List<Level> finished, boolean pictures) {
        Query query = CacheSamples.query(cache, CacheSamples.key(), 1);
        return cache.lookup(new Query(query.key(), query.mark(), query.conditioning(),
            new Thresholds(levels, finished), query.costs(), false, pictures));
    }

    @Test
    void theOneThatLeavesOutMoreServes() {
        Hit later = assertInstanceOf(Hit.class, ask(List.of(HALF), List.of(new Level(0.9, 0, 0.8)), true));
        assertEquals(8, later.step());
        assertEquals(true, later.finished());
        assertEquals(CacheSamples.tensor(CacheSamples.LATENTS, 77), later.latents());
        Hit sooner = assertInstanceOf(Hit.class, ask(List.of(HALF), List.of(new Level(0.9, 0, 0.4)), true));
        assertEquals(5, sooner.step());
        assertEquals(false, sooner.finished());
        assertEquals(CacheSamples.latents(1).get(5), sooner.latents());
    }

    @Test
    void atTheSameStepLatentsOfTheMidstServe() {
        assertEquals(false, assertInstanceOf(Hit.class, ask(List.of(HALF), List.of(HALF), true)).finished());
    }

    @Test
    void aFinishedPictureServesOnlyWhoAsksForIt() {
        assertEquals(new Miss(Reason.TOO_FAR), ask(List.of(), List.of(HALF), false));
    }

    @Test
    void oneStepIsAlwaysLeft() {
        List<Level> all = List.of(new Level(0.9, 0, 1));
        assertEquals(CacheSamples.STEPS - 1, assertInstanceOf(Hit.class, ask(List.of(), all, true)).step());
        assertEquals(5, assertInstanceOf(Hit.class, ask(all, List.of(), true)).step());
    }
}
