package dev.slipstream.pipelines.diffusion.reuse;

import java.util.Optional;

/**
 * What a cache of latents had to do with a picture.
 *
 * @param source what the picture went on from; empty if it was drawn from its beginning
 * @param miss why, in words, if it asked
 */
public record CacheReport(Optional<Source> source, Optional<String> miss) {
    /** Of a request that asks nothing. */
    public static final CacheReport NONE = new CacheReport(Optional.empty(), Optional.empty());

    /**
     * Another picture, whose latents served.
     *
     * @param entry its id in the cache
     * @param step the first one that was taken, counted from 0: so many were left out
     * @param score cosine of the two conditionings
     * @param finished whether it was the finished picture, with noise of its own
     */
    public record Source(String entry, int step, double score, boolean finished) {
    }
}
