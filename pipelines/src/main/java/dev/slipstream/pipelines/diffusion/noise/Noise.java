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

    /** What the loop starts from, before {@link dev.slipstream.pipelines.run.NoiseTable#initialScale}. */
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
}
