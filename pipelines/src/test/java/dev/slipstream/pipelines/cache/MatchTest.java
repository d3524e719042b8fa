package dev.slipstream.pipelines.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.cache.Answer.Hit;
import dev.slipstream.pipelines.cache.Answer.Miss;
import dev.slipstream.pipelines.cache.Answer.Reason;
import dev.slipstream.pipelines.cache.Thresholds.Level;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** When an entry serves, by one that is there. */
class MatchTest {
    private static final String PROMPT = "a large red star on a blue background";
    private static final HalfTensor TOLD = CacheSamples.conditioning(7);
    private static final HalfTensor TOLD_ALMOST = CacheSamples.near(TOLD, 0.1, 4);

    @TempDir
    private Path folder;
    private LatentCache cache;

    @BeforeEach
    void keepOne() {
        cache = new LatentCache(folder, 1 << 30);
        cache.put(Entry.of(CacheSamples.key(), cache.mark(PROMPT, 1), TOLD, CacheSamples.latents(7), 0.1));
    }

    @AfterEach
    void close() {
        cache.close();
    }

    private Answer ask(String prompt, long seed, HalfTensor told, Thresholds thresholds, StepCosts costs) {
        return cache.lookup(Query.of(CacheSamples.key(), cache.mark(prompt, seed), told, thresholds, costs));
    }

    private Answer ask(String prompt, double noise) {
        return ask(prompt, 2, CacheSamples.near(TOLD, noise, 3), CacheSamples.THRESHOLDS,
            StepCosts.ofExact(CacheSamples.STEPS));
    }

    private static void assertMiss(Reason reason, Answer answer) {
        assertEquals(new Miss(reason), answer);
    }

    @Test
    void aParaphraseGoesOnFromTheDeepestStepThatIsKeptAndAllowed() {
        Hit hit = assertInstanceOf(Hit.class, ask("the big red star on a blue backdrop", 0.1));
        assertEquals(5, hit.step());
        assertEquals(CacheSamples.latents(7).get(5), hit.latents());
        assertTrue(hit.score() > 0.9 && hit.score() < 1);
        Thresholds shallow = new Thresholds(List.of(new Level(0.9, 0, 0.4)));
        hit = assertInstanceOf(Hit.class, ask("the big red star on a blue backdrop", 2, TOLD_ALMOST, shallow,
            StepCosts.ofExact(CacheSamples.STEPS)));
        assertEquals(2, hit.step());
    }

    @Test
    void swappedColoursNeverMatchHoweverNearTheirConditionings() {
        assertMiss(Reason.OTHER_WORDS, ask("a large blue star on a red background", 0.02));
        assertMiss(Reason.OTHER_WORDS, ask("a large red square on a blue background", 0.02));
    }

    @Test
    void conditioningsThatAreTooFarDoNotMatchWhateverTheWords() {
        assertMiss(Reason.TOO_FAR, ask("a big red star on a blue background", 1));
    }

    @Test
    void theSamePromptWithAnotherSeedIsDrawnAnew() {
        assertMiss(Reason.OTHER_SEED, ask(PROMPT.toUpperCase(Locale.ROOT), 0.05));
        // Other words, but nothing that the model would see.
        assertMiss(Reason.OTHER_SEED, ask("an " + PROMPT, 0));
        Query wanted = new Query(CacheSamples.key(), cache.mark(PROMPT, 2), TOLD, CacheSamples.THRESHOLDS,
            StepCosts.ofExact(CacheSamples.STEPS), true, false);
        assertInstanceOf(Hit.class, cache.lookup(wanted));
    }

    @Test
    void theSamePromptAndSeedMatch() {
        StepCosts costs = StepCosts.ofExact(CacheSamples.STEPS);
        assertInstanceOf(Hit.class, ask(PROMPT, 1, TOLD, CacheSamples.THRESHOLDS, costs));
    }

    @Test
    void manySeedsOfAPromptDoNotHideWhatIsBehindThem() {
        String prompt = "a big red star on a blue background";
        HalfTensor told = CacheSamples.near(TOLD, 0.2, 3);
        for (long seed = 10; seed < 10 + 2 * Query.NEIGHBOURS; seed++) {
            cache.put(Entry.of(CacheSamples.key(), cache.mark(prompt, seed), told, CacheSamples.latents(seed), 0.1));
        }
        Hit hit = assertInstanceOf(Hit.class,
            ask(prompt, 2, told, CacheSamples.THRESHOLDS, StepCosts.ofExact(CacheSamples.STEPS)));
        assertEquals(CacheSamples.latents(7).get(5), hit.latents());
    }

    @Test
    void otherThingsThatAreNearerDoNotHideWhatSaysTheSame() {
        HalfTensor told = CacheSamples.near(TOLD, 0.2, 3);
        for (int other = 0; other < 3 * Query.NEIGHBOURS; other++) {
            cache.put(Entry.of(CacheSamples.key(), cache.mark("a large red thing" + other + " on a blue background", 5),
                told, CacheSamples.latents(other), 0.1));
        }
        Hit hit = assertInstanceOf(Hit.class, ask("a big red star on a blue background", 2, told,
            CacheSamples.THRESHOLDS, StepCosts.ofExact(CacheSamples.STEPS)));
        assertEquals(CacheSamples.latents(7).get(5), hit.latents());
    }

    @Test
    void nothingServesAModelThatWasNotMeasured() {
        assertMiss(Reason.NOT_MEASURED, ask(PROMPT, 1, TOLD, Thresholds.NONE, StepCosts.ofExact(CacheSamples.STEPS)));
    }

    @Test
    void aHitThatSavesNothingIsAMiss() {
        StepCosts dear = new StepCosts(CacheSamples.STEPS, 0, 0, 1, 1, 6);
        assertMiss(Reason.NOTHING_SAVED, ask("a big red star on a blue background", 2, TOLD_ALMOST,
            CacheSamples.THRESHOLDS, dear));
        // All steps of a plan that warms up as long as it runs.
        StepCosts warm = new StepCosts(CacheSamples.STEPS, 10, 0, 2, 1, 6);
        assertEquals(4, assertInstanceOf(Hit.class, ask("a big red star on a blue background", 2, TOLD_ALMOST,
            CacheSamples.THRESHOLDS, warm)).saved());
    }

    @Test
    void anEmptyPromptIsOneLikeOthers() {
        assertMiss(Reason.OTHER_WORDS, ask("", 0.1));
    }
}
