package dev.slipstream.pipelines.cache;

import dev.slipstream.bridge.file.Sha256;
import java.util.Collections;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What is kept of one drawn picture. Immutable.
 *
 * @param key what a request must have in common with this one
 * @param mark prompt and seed
 * @param conditioning what the text encoders have made of the prompt, the row with the text alone
 * @param latents after so many steps as the key says, from 1 up, one picture's: what the loop had when it began the
 *     step of this number, counted from 0; with the number of all steps the finished ones
 * @param stepSeconds what a step took, by which it is decided what is worth its bytes
 * @param prompt in clear, only if its user has asked for that
 */
public record Entry(CacheKey key, Mark mark, HalfTensor conditioning, SortedMap<Integer, HalfTensor> latents,
    double stepSeconds, Optional<String> prompt) {

    /** @throws IllegalArgumentException if there is nothing to go on from, or latents differ in shape */
    public Entry {
        latents = Collections.unmodifiableSortedMap(new TreeMap<>(latents));
        if (latents.isEmpty() || latents.firstKey() < 1
            || latents.values().stream().map(HalfTensor::shape).distinct().count() > 1) {
            throw new IllegalArgumentException("latents of a cached picture are of one shape, after one step at least");
        }
        if (!(stepSeconds > 0)) {
            throw new IllegalArgumentException("a step takes some time, not " + stepSeconds + " s");
        }
    }

    /** One that keeps latents alone, and no text. */
    public static Entry of(CacheKey key, Mark mark, HalfTensor conditioning, SortedMap<Integer, HalfTensor> latents,
            double stepSeconds) {
        return new Entry(key, mark, conditioning, latents, stepSeconds, Optional.empty());
    }

    /** Of all numbers. */
    long bytes() {
        return Short.BYTES * (conditioning.size() + latents.values().stream().mapToLong(HalfTensor::size).sum());
    }

    /** 32 hexadecimal digits: one for a key, a prompt and a seed. */
    String id() {
        return Sha256.of(key.id() + mark.text() + mark.seed()).substring(0, 32);
    }
}
