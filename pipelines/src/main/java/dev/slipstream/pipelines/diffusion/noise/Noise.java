package dev.slipstream.pipelines.diffusion.noise;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * An endless sequence of standard normal numbers that depends on a seed and a purpose, and on nothing else: not on the
 * platform, the plan, the number of devices, nor on how the sequence is cut into pieces. Immutable; safe for use by
 * many threads.
 *
 * <p>Made by {@link Philox} from the number of an element, and by the transform of Box and Muller (1958) in strict
 * double precision. The seeds of other programs give other noise: torch, for one, has different generators on CPUs and
 * on GPUs.
 */
public final class Noise {
    private static final int INITIAL_LATENTS = 0;
    private static final int STEP = 1;
    private static final int IMAGE = 2;
    private static final double WORD = 0x1p-32;

    private final long seed;
    private final long stream;

    private Noise(long seed, int purpose, int index) {
        this.seed = seed;
        this.stream = (long) purpose << 32 | Integer.toUnsignedLong(index);
    }

    /** What the loop starts from, before {@link dev.slipstream.pipelines.run.loop.NoiseTable#initialScale}. */
    public static Noise initialLatents(long seed) {
        return new Noise(seed, INITIAL_LATENTS, 0);
    }

    /** What a step of a method with fresh noise adds; steps count from 0. */
    public static Noise ofStep(long seed, int step) {
        return new Noise(seed, STEP, step);
    }

    /** What blurs the latents that an encoder makes of a given image. */
    public static Noise ofImage(long seed) {
        return new Noise(seed, IMAGE, 0);
    }

    /** The first numbers of the sequence. */
    public float[] draw(int count) {
        float[] numbers = new float[count];
        fill(numbers, 0);
        return numbers;
    }

    /** Writes the numbers from element {@code first} on. @throws IllegalArgumentException if it is negative */
    public void fill(float[] out, long first) {
        fill(MemorySegment.ofArray(out), first);
    }

    /**
     * Writes the numbers from element {@code first} on as float32 in the order of bytes of this machine.
     *
     * @param out a whole number of elements; any alignment
     * @throws IllegalArgumentException if {@code first} is negative, or {@code out} ends within an element
     */
    public void fill(MemorySegment out, long first) {
        if (first < 0 || out.byteSize() % Float.BYTES != 0) {
            throw new IllegalArgumentException("cannot write noise from element " + first + " to "
                + out.byteSize() + " bytes");
        }
        int[] words = new int[Philox.WORDS];
        double[] block = new double[Philox.WORDS];
        long count = out.byteSize() / Float.BYTES;
        for (long index = 0; index < count; index++) {
            int lane = (int) ((first + index) % Philox.WORDS);
            if (index == 0 || lane == 0) {
                Philox.block((first + index) / Philox.WORDS, stream, seed, words);
                normals(words, block);
            }
            out.set(ValueLayout.JAVA_FLOAT_UNALIGNED, index * Float.BYTES, (float) block[lane]);
        }
    }

    private static void normals(int[] words, double[] block) {
        for (int pair = 0; pair < Philox.WORDS; pair += 2) {
            double radius = StrictMath.sqrt(-2 * StrictMath.log(uniform(words[pair])));
            double angle = 2 * Math.PI * uniform(words[pair + 1]);
            block[pair] = radius * StrictMath.cos(angle);
            block[pair + 1] = radius * StrictMath.sin(angle);
        }
    }

    /** Between 0 and 1 and never one of them, so that the logarithm is finite. */
    private static double uniform(int word) {
        return (Integer.toUnsignedLong(word) + 0.5) * WORD;
    }

    @Override
    public String toString() {
        return "noise of seed " + seed + ", stream " + Long.toHexString(stream);
    }

    /**
     * Philox 4x32-10: a block of four random words as a pure function of a counter and a key, so that any part of a
     * sequence can be made without the parts before it.
     *
     * @see <a href="https://doi.org/10.1145/2063384.2063405">Salmon et al. (2011), "Parallel random numbers: as easy as
     *     1, 2, 3"</a>
     */
    static final class Philox {
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
}
