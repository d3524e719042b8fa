package dev.slipstream.pipelines.diffusion.noise;

/**
 * Philox 4x32-10: a block of four random words as a pure function of a counter and a key, so that any part of a
 * sequence can be made without the parts before it.
 *
 * @see <a href="https://doi.org/10.1145/2063384.2063405">Salmon et al. (2011), "Parallel random numbers: as easy as
 *     1, 2, 3"</a>
 */
final class Philox {
    static final int WORDS = 4;

    private static final int ROUNDS = 10;
    private static final int MULTIPLIER_0 = 0xD2511F53;
    private static final int MULTIPLIER_1 = 0xCD9E8D57;
    /** The golden ratio and √3 − 1, which make each round's key. */
    private static final int WEYL_0 = 0x9E3779B9;
    private static final int WEYL_1 = 0xBB67AE85;

    private Philox() {
    }

    /**
     * Writes the block of this counter and key.
     *
     * @param low words 0 and 1 of the counter, the lower half first
     * @param high words 2 and 3 of the counter
     * @param key words 0 and 1 of the key
     */
    static void block(long low, long high, long key, int[] words) {
        int w0 = (int) low;
        int w1 = (int) (low >>> 32);
        int w2 = (int) high;
        int w3 = (int) (high >>> 32);
        int k0 = (int) key;
        int k1 = (int) (key >>> 32);
        for (int round = 0; round < ROUNDS; round++) {
            long product0 = Integer.toUnsignedLong(MULTIPLIER_0) * Integer.toUnsignedLong(w0);
            long product1 = Integer.toUnsignedLong(MULTIPLIER_1) * Integer.toUnsignedLong(w2);
            w0 = (int) (product1 >>> 32) ^ w1 ^ k0;
            w1 = (int) product1;
            w2 = (int) (product0 >>> 32) ^ w3 ^ k1;
            w3 = (int) product0;
            k0 += WEYL_0;
            k1 += WEYL_1;
        }
        words[0] = w0;
        words[1] = w1;
        words[2] = w2;
        words[3] = w3;
    }
}
