package dev.slipstream.pipelines.cache;

import java.time.Instant;

/**
 * What an entry has been good for, and so what it is worth its place: the rule of GreedyDual-Size-Frequency
 * (Cherkasova 1998), in seconds saved for each byte.
 *
 * <p>The published rule of caches of latents, times used times steps saved, leaves a new entry at 0, so that the next
 * one evicts it, and keeps for ever what was popular once. Here a new one is worth what it would save once, and all
 * that come or are used begin at the worth of what was evicted last: a clock that makes the unused old.
 *
 * @param worth the lowest goes first
 * @param saved seconds, in all
 */
record Usage(double worth, int hits, double saved, Instant last) {
    /** Of a new entry. @param clock the highest worth that was evicted so far */
    static Usage ofNew(Card card, long bytes, double clock, Instant now) {
        return new Usage(clock + card.likelySeconds() / bytes, 0, 0, now);
    }

    /** After it has served once more. */
    Usage served(Card card, long bytes, double seconds, double clock, Instant now) {
        double all = saved + seconds;
        return new Usage(clock + (card.likelySeconds() + all) / bytes, hits + 1, all, now);
    }
}
