package dev.slipstream.pipelines.cache;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An entry, as people are told of it.
 *
 * @param id 32 hexadecimal digits, unique among those of a namespace
 * @param facts of its key, see {@link CacheKey}
 * @param prompt if it is kept in clear
 * @param steps from which requests may go on; the number of all stands for finished latents
 * @param bytes of its file
 * @param hits how often it has served
 * @param savedSeconds in all
 * @param lastUsed when it was made or served last
 */
public record CachedEntry(String namespace, String id, Map<String, String> facts, Optional<String> prompt,
    List<Integer> steps, long bytes, int hits, double savedSeconds, Instant created, Instant lastUsed) {
}
