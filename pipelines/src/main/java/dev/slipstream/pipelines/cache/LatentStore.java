package dev.slipstream.pipelines.cache;

import dev.slipstream.pipelines.cache.Answer.Hit;

/** Where latents of drawn pictures are kept, and which of them serve whom. Any thread may use it. */
public interface LatentStore extends AutoCloseable {
    /** A prompt and a seed as entries and queries name them. */
    Mark mark(String prompt, long seed);

    /** A text that stands in a key without being told: equal texts have equal hashes, in this store only. */
    String hash(String text);

    /** Whether something serves a request. */
    Answer lookup(Query query);

    /** Notes that a hit was used. @param seconds that were saved */
    void served(Hit hit, double seconds);

    /** Keeps an entry; not for the thread of a loop. @return whether it was not there yet, and is now */
    boolean put(Entry entry);

    @Override
    void close();
}
