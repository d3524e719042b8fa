package dev.slipstream.pipelines.cache;

/**
 * Makes compact vectors of conditionings, whose angles are nearly those of the whole tensors: a sparse random
 * projection (Kane and Nelson 2014, of which feature hashing is the sparsest). Each number goes into four of 256 sums,
 * with signs, all by a hash of its place; the sums have length 1 in the end. Places and signs are fixed for ever by
 * {@link #VERSION}, as vectors of different ones cannot be compared.
 *
 * <p>All numbers count, as a mean over tokens takes "a red star on blue" and "a blue star on red" for nearly the same,
 * and a model's last token even for the same. For random tensors the cosine is off by 0.06 at most as a rule, and less
 * where it is near 1; which neighbours are near enough is decided on the whole tensors.
 */
final class Projection {
    /** Kept with each vector. */
    static final int VERSION = 1;
    /** Numbers of a vector. */
    static final int SIZE = 256;

    private static final int SUMS_OF_A_NUMBER = 4;
    private static final long SEED = 0x51ce_57ea_3c0d_e001L;
    private static final long STEP = 0x9e37_79b9_7f4a_7c15L;

    private Projection() {
    }

    static float[] of(HalfTensor tensor) {
        double[] sums = new double[SIZE];
        for (int i = 0; i < tensor.size(); i++) {
            long hash = mix(SEED + i * STEP);
            double number = tensor.at(i);
            for (int k = 0; k < SUMS_OF_A_NUMBER; k++) {
                int sum = (int) (hash >>> (8 * k)) & (SIZE - 1);
                sums[sum] += (hash >>> (32 + k) & 1) == 0 ? number : -number;
            }
        }
        double length = 0;
        for (double sum : sums) {
            length += sum * sum;
        }
        float[] vector = new float[SIZE];
        for (int i = 0; i < SIZE && length > 0; i++) {
            vector[i] = (float) (sums[i] / Math.sqrt(length));
        }
        return vector;
    }

    /** The end of SplitMix64 (Steele, Lea and Flood 2014): all bits of the result depend on all of the argument. */
    private static long mix(long number) {
        long z = (number ^ number >>> 30) * 0xbf58_476d_1ce4_e5b9L;
        z = (z ^ z >>> 27) * 0x94d0_49bb_1331_11ebL;
        return z ^ z >>> 31;
    }
}
