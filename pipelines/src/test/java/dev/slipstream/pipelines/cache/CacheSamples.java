package dev.slipstream.pipelines.cache;

import dev.slipstream.bridge.Shape;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;

/** Small entries that are told by a number, with prompts of their own. */
final class CacheSamples {
    static final Shape CONDITIONING = Shape.of(4, 32);
    static final Shape LATENTS = Shape.of(1, 4, 4, 4);
    static final int STEPS = 10;
    /** Serves what says the same, from any depth that is kept. */
    static final Thresholds THRESHOLDS = new Thresholds(List.of(new Thresholds.Level(0.9, 0, 0.5)));

    private CacheSamples() {
    }

    static CacheKey key() {
        return key("model");
    }

    static CacheKey key(String model) {
        Map<String, String> facts = new TreeMap<>();
        CacheKey.NEEDED.forEach(name -> facts.put(name, name));
        facts.put(CacheKey.MODEL, model);
        facts.put(CacheKey.STEPS, Integer.toString(STEPS));
        return CacheKey.of(facts);
    }

    /** Always the same for a number, and far from those of others. */
    static HalfTensor conditioning(long number) {
        return tensor(CONDITIONING, number);
    }

    static HalfTensor tensor(Shape shape, long number) {
        Random random = new Random(number);
        float[] numbers = new float[(int) shape.elements()];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        return HalfTensor.of(shape, numbers);
    }

    /** The tensor with noise of this size added. */
    static HalfTensor near(HalfTensor tensor, double size, long seed) {
        Random random = new Random(seed);
        float[] numbers = new float[tensor.size()];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = (float) (tensor.at(i) + size * random.nextGaussian());
        }
        return HalfTensor.of(tensor.shape(), numbers);
    }

    static String prompt(long number) {
        return "a red star of kind" + number + " on a blue background";
    }

    static SortedMap<Integer, HalfTensor> latents(long number) {
        SortedMap<Integer, HalfTensor> latents = new TreeMap<>();
        latents.put(2, tensor(LATENTS, number + 2_000_000));
        latents.put(5, tensor(LATENTS, number + 5_000_000));
        return latents;
    }

    static Entry entry(LatentCache cache, CacheKey key, long number) {
        return Entry.of(key, cache.mark(prompt(number), number), conditioning(number), latents(number), 0.1);
    }

    static boolean put(LatentCache cache, long number) {
        return cache.put(entry(cache, key(), number));
    }

    /** The same prompt in other words, and another seed. */
    static Query query(LatentCache cache, CacheKey key, long number) {
        return Query.of(key, cache.mark(prompt(number).replace("a ", "the "), -1),
            near(conditioning(number), 0.1, number + 77), THRESHOLDS, StepCosts.ofExact(STEPS));
    }

    static Answer lookup(LatentCache cache, long number) {
        return cache.lookup(query(cache, key(), number));
    }

    /** Whether it is served, with the latents of this number and no others. */
    static boolean serves(LatentCache cache, long number) {
        return switch (lookup(cache, number)) {
            case Answer.Hit hit when hit.step() == 5 && hit.latents().equals(latents(number).get(5)) -> true;
            case Answer.Hit wrong -> throw new AssertionError("wrong latents for " + number + ": " + wrong);
            case Answer.Miss miss -> false;
        };
    }
}
