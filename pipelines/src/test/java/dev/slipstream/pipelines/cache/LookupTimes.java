package dev.slipstream.pipelines.cache;

import dev.slipstream.bridge.Shape;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.LongConsumer;

/**
 * Measures a cache: {@code LookupTimes FOLDER ENTRIES [SECONDS]}. Fills the folder, if it has fewer, with entries in
 * groups of conditionings, opens it anew, and says what putting, opening, hits and misses take: just then, while a
 * graph grows if there are enough for one, and after these seconds. Medians and 99 of 100, on the clock and of a
 * processor. The figures in docs/cache.md are its.
 */
final class LookupTimes {
    private static final Shape CONDITIONING = Shape.of(16, 64);
    private static final int GROUPS = 400;
    private static final int QUERIES = 400;
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private LookupTimes() {
    }

    public static void main(String[] args) throws InterruptedException {
        Path folder = Path.of(args[0]);
        int entries = Integer.parseInt(args[1]);
        try (LatentCache cache = new LatentCache(folder, 1L << 40)) {
            int there = cache.stats().values().stream().mapToInt(LatentCache.Stats::entries).sum();
            if (there < entries) {
                measure("put", entries - there, number -> cache.put(entry(cache, there + number)));
            }
        }
        long began = System.nanoTime();
        try (LatentCache cache = new LatentCache(folder, 1L << 40)) {
            cache.lookup(query(cache, 0, CacheSamples.prompt(-1)));
            System.out.printf("open and first lookup: %.0f ms%n", (System.nanoTime() - began) / 1e6);
            for (String when : new String[] {"just opened", "then", "later"}) {
                Random random = new Random(1);
                measure("miss by words, " + when, QUERIES,
                    number -> cache.lookup(query(cache, random.nextInt(entries), CacheSamples.prompt(-1))));
                measure("hit, " + when, QUERIES, number -> {
                    int wanted = random.nextInt(entries);
                    if (cache.lookup(query(cache, wanted, CacheSamples.prompt(wanted).replace("a ", "the ")))
                        instanceof Answer.Miss miss) {
                        throw new AssertionError(wanted + ": " + miss);
                    }
                });
                Thread.sleep(args.length > 2 && when.equals("then") ? 1000 * Long.parseLong(args[2]) : 0);
            }
        }
        HalfTensor large = CacheSamples.tensor(Shape.of(77, 768), 1);
        measure("compact vector of 77 x 768", QUERIES, number -> Projection.of(large));
        HalfTensor other = CacheSamples.tensor(Shape.of(77, 768), 2);
        measure("cosine of 77 x 768", QUERIES, number -> large.cosine(other));
    }

    private static void measure(String what, int times, LongConsumer work) {
        double[] clock = new double[times];
        double[] processor = new double[times];
        for (int i = 0; i < times; i++) {
            long cpu = THREADS.getCurrentThreadCpuTime();
            long time = System.nanoTime();
            work.accept(i);
            clock[i] = (System.nanoTime() - time) / 1e6;
            processor[i] = (THREADS.getCurrentThreadCpuTime() - cpu) / 1e6;
        }
        Arrays.sort(clock);
        Arrays.sort(processor);
        System.out.printf("%s: %.2f ms (99 of 100: %.2f), of a processor %.2f ms (%.2f)%n", what, clock[times / 2],
            clock[times * 99 / 100], processor[times / 2], processor[times * 99 / 100]);
    }

    private static HalfTensor conditioning(long number) {
        return CacheSamples.near(CacheSamples.tensor(CONDITIONING, number % GROUPS), 0.5, number);
    }

    private static CacheKey key() {
        Map<String, String> facts = new TreeMap<>(CacheSamples.key().facts());
        facts.put(CacheKey.CONDITIONING, CONDITIONING.toString());
        return CacheKey.of(facts);
    }

    private static Entry entry(LatentCache cache, long number) {
        return Entry.of(key(), cache.mark(CacheSamples.prompt(number), number), conditioning(number),
            CacheSamples.latents(number), 0.1);
    }

    private static Query query(LatentCache cache, long number, String prompt) {
        return Query.of(key(), cache.mark(prompt, -1), CacheSamples.near(conditioning(number), 0.1, number + 7),
            CacheSamples.THRESHOLDS, StepCosts.ofExact(CacheSamples.STEPS));
    }
}
