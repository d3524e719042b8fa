package dev.slipstream.pipelines.cache;

/**
 * A prompt and a seed as a cache knows them, see {@link LatentStore#mark}: nothing of them is in clear.
 *
 * @param text hash of the prompt, whatever its case and spaces; 32 hexadecimal digits
 * @param seed hash of the prompt and the seed
 * @param wording what the prompt says, word by word
 */
public record Mark(String text, String seed, Wording wording) {
    static Mark of(String prompt, long seed, Vocabulary vocabulary, Salt salt) {
        return new Mark(salt.hash(Salt.plain(prompt)), salt.hash("seed " + seed),
            Wording.of(prompt, vocabulary, salt));
    }

    /** Whether both are one prompt with two seeds, which must not give the same picture. */
    boolean isOtherSeedOf(Mark other) {
        return text.equals(other.text) && !seed.equals(other.seed);
    }
}
