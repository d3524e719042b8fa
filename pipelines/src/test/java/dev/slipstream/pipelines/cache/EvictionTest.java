package dev.slipstream.pipelines.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Which entries are worth their place, on a stream of requests by Zipf's law whose favourites change. */
class EvictionTest {
    private static final int PROMPTS = 5000;
    private static final int ROOM = 500;
    private static final int REQUESTS = 60_000;
    /** After so many, others are popular. */
    private static final int SEASON = 15_000;

    private static final class Kept {
        private Usage usage;
        private final long came;

        Kept(Usage usage, long came) {
            this.usage = usage;
            this.came = came;
        }
    }

    private static final Card CARD = new Card("", new Mark("", "", new Wording(List.of())),
        new float[Projection.SIZE], List.of(5, 10, 15, 20, 25), 50, 0.1, Instant.EPOCH);

    @Test
    void finishedLatentsCountAsWhatGoingOnFromThemSaves() {
        Card withPicture = new Card("", CARD.mark(), CARD.vector(), List.of(5, 10, 15, 20, 25, 50), 50, 0.1,
            Instant.EPOCH);
        assertEquals(1.5, CARD.likelySeconds(), 1e-9);
        assertEquals(10 / 6.0, withPicture.likelySeconds(), 1e-9);
    }

    /** @param worth of an entry; the least goes. @return the part of requests that were served */
    private static double served(ToDoubleFunction<Kept> worth, boolean changing) {
        Random random = new Random(11);
        double[] sums = new double[PROMPTS];
        for (int i = 0; i < PROMPTS; i++) {
            sums[i] = (i == 0 ? 0 : sums[i - 1]) + Math.pow(i + 1, -0.9);
        }
        Map<Integer, Kept> kept = new HashMap<>();
        double clock = 0;
        int hits = 0;
        for (int request = 0; request < REQUESTS; request++) {
            double at = random.nextDouble() * sums[PROMPTS - 1];
            int rank = Arrays.binarySearch(sums, at);
            int prompt = (rank < 0 ? -rank - 1 : rank) + (changing ? request / SEASON * PROMPTS : 0);
            Instant now = Instant.ofEpochMilli(request);
            Kept it = kept.get(prompt);
            if (it != null) {
                hits++;
                it.usage = it.usage.served(CARD, 1000, CARD.likelySeconds(), clock, now);
                continue;
            }
            kept.put(prompt, new Kept(Usage.ofNew(CARD, 1000, clock, now), request));
            if (kept.size() > ROOM) {
                int newest = prompt;
                Map.Entry<Integer, Kept> victim = kept.entrySet().stream().filter(entry -> entry.getKey() != newest)
                    .min(Comparator.<Map.Entry<Integer, Kept>>comparingDouble(
                        entry -> worth.applyAsDouble(entry.getValue()))
                        .thenComparing(entry -> entry.getValue().usage.last())).orElseThrow();
                clock = Math.max(clock, victim.getValue().usage.worth());
                kept.remove(victim.getKey());
            }
        }
        return (double) hits / REQUESTS;
    }

    @Test
    @Tag("slow")
    void itServesMoreThanThePublishedRuleWhereFavouritesChangeAndAsMuchWhereNot() {
        List<String> lines = new ArrayList<>();
        Map<String, ToDoubleFunction<Kept>> rules = Map.of("ours", kept -> kept.usage.worth(),
            "published, hits x k", kept -> kept.usage.hits(), "(hits + 1) x k", kept -> kept.usage.hits() + 1,
            "last used", kept -> kept.usage.last().toEpochMilli(), "first in, first out", kept -> kept.came);
        Map<String, double[]> parts = new HashMap<>();
        rules.forEach((name, rule) -> {
            parts.put(name, new double[] {served(rule, false), served(rule, true)});
            lines.add("%s: %.3f steady, %.3f changing".formatted(name, parts.get(name)[0], parts.get(name)[1]));
        });
        System.out.println(String.join("\n", lines));
        double[] ours = parts.get("ours");
        double[] published = parts.get("published, hits x k");
        assertTrue(ours[0] >= published[0] - 0.02, () -> "steady: " + lines);
        assertTrue(ours[1] >= published[1] + 0.05, () -> "changing: " + lines);
        assertTrue(ours[1] >= parts.get("last used")[1], () -> "changing: " + lines);
    }
}
