package dev.slipstream.bridge.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.bridge.cuda.driver.DriverCheck;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What each kernel in {@code native/src} does, against the same arithmetic in Java. Subclasses choose the driver. */
abstract class KernelContract {
    private static final int COUNT = 1000;

    private KernelRuns kernels;

    /** A driver with a device; the calling test is skipped where there is none. */
    protected abstract DriverCheck.Ready driver();

    @BeforeEach
    void load() {
        kernels = new KernelRuns(driver());
    }

    @AfterEach
    void free() {
        if (kernels != null) {
            kernels.close();
        }
    }

    private static float[] values(int seed) {
        Random random = new Random(seed);
        float[] values = new float[COUNT];
        for (int i = 0; i < COUNT; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private MemorySegment combination(long out, long count, long[] inputs, float... weights) {
        MemorySegment struct = kernels.arena().allocate(120, 8);
        for (int i = 0; i < inputs.length; i++) {
            struct.setAtIndex(ValueLayout.JAVA_LONG, i, inputs[i]);
            struct.set(ValueLayout.JAVA_FLOAT, 64 + i * 4L, weights[i]);
        }
        struct.set(ValueLayout.JAVA_LONG, 96, out);
        struct.set(ValueLayout.JAVA_LONG, 104, count);
        struct.set(ValueLayout.JAVA_INT, 112, inputs.length);
        return struct;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 8})
    void aCombinationHasTheBitsOfTheCpuProvider(int terms) {
        float[][] inputs = new float[terms][];
        long[] addresses = new long[terms];
        float[] weights = new float[terms];
        float[] expected = new float[COUNT];
        for (int term = 0; term < terms; term++) {
            inputs[term] = values(term);
            addresses[term] = kernels.upload(inputs[term]);
            weights[term] = 0.3f * term - 1;
            for (int i = 0; i < COUNT; i++) {
                expected[i] = term == 0 ? inputs[0][i] * weights[0] : expected[i] + weights[term] * inputs[term][i];
            }
        }
        long out = kernels.memory(COUNT * 4);
        kernels.launch("combine_f32", combination(out, COUNT, addresses, weights));
        assertArrayEquals(expected, kernels.floats(out, COUNT));
    }

    @Test
    void aCombinationMayReplaceAnInput() {
        float[] first = values(1);
        float[] second = values(2);
        long a = kernels.upload(first);
        long b = kernels.upload(second);
        kernels.launch("combine_f32", combination(b, COUNT, new long[] {a, b}, 2, 3));
        float[] result = kernels.floats(b, COUNT);
        for (int i = 0; i < COUNT; i++) {
            assertEquals(first[i] * 2 + second[i] * 3, result[i]);
        }
    }

    @ParameterizedTest
    @EnumSource(KernelsHalfType.class)
    void aCombinationOfHalvesIsRoundedOnce(KernelsHalfType type) {
        short[] first = type.of(values(1));
        short[] second = type.of(values(2));
        long out = kernels.memory(COUNT * 2);
        kernels.launch("combine_" + type.kernelName(), combination(out, COUNT,
            new long[] {kernels.upload(first), kernels.upload(second)}, 1.7f, -0.7f));
        short[] result = kernels.shorts(out, COUNT);
        for (int i = 0; i < COUNT; i++) {
            float exact = 1.7f * type.toFloat(first[i]) + -0.7f * type.toFloat(second[i]);
            assertEquals(type.of(exact), result[i], "element " + i);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 1024})
    void anyNumberOfThreadsGivesTheSame(int threads) {
        float[] in = values(3);
        long address = kernels.upload(in);
        long out = kernels.memory((COUNT + 1) * 4);
        kernels.launch("combine_f32", 2, threads, combination(out, COUNT, new long[] {address}, 1));
        float[] result = kernels.floats(out, COUNT + 1);
        assertArrayEquals(in, Arrays.copyOf(result, COUNT));
        assertEquals(Float.NaN, result[COUNT], "beyond the end");
    }

    @ParameterizedTest
    @EnumSource(KernelsHalfType.class)
    void eachHalfBecomesAFloatExactly(KernelsHalfType type) {
        short[] all = new short[1 << 16];
        for (int i = 0; i < all.length; i++) {
            all[i] = (short) i;
        }
        long out = kernels.memory(all.length * 4L);
        kernels.launch("cast_" + type.kernelName() + "_f32",
            kernels.arguments(new long[] {kernels.upload(all), out, all.length}));
        float[] result = kernels.floats(out, all.length);
        for (int i = 0; i < all.length; i++) {
            assertEquals(type.toFloat((short) i), result[i], Integer.toHexString(i));
        }
    }

    @ParameterizedTest
    @EnumSource(KernelsHalfType.class)
    void floatsAreRoundedToTheNearestHalf(KernelsHalfType type) {
        float[] in = KernelsHalfType.hardToRound();
        long out = kernels.memory(in.length * 2L);
        kernels.launch("cast_f32_" + type.kernelName(),
            kernels.arguments(new long[] {kernels.upload(in), out, in.length}));
        short[] result = kernels.shorts(out, in.length);
        for (int i = 0; i < in.length; i++) {
            assertEquals(type.toFloat(type.of(in[i])), type.toFloat(result[i]), "of " + in[i]);
        }
    }

    @ParameterizedTest
    @EnumSource(KernelsHalfType.class)
    void oneHalfTypeBecomesTheOther(KernelsHalfType from) {
        KernelsHalfType to = from == KernelsHalfType.FLOAT16 ? KernelsHalfType.BFLOAT16 : KernelsHalfType.FLOAT16;
        short[] in = from.of(KernelsHalfType.hardToRound());
        long out = kernels.memory(in.length * 2L);
        kernels.launch("cast_" + from.kernelName() + "_" + to.kernelName(),
            kernels.arguments(new long[] {kernels.upload(in), out, in.length}));
        short[] result = kernels.shorts(out, in.length);
        for (int i = 0; i < in.length; i++) {
            float value = from.toFloat(in[i]);
            assertEquals(to.toFloat(to.of(value)), to.toFloat(result[i]), "of " + value);
        }
    }

    @Test
    void aFillWritesItsPatternAndNothingElse() {
        long words = kernels.memory(6 * 4);
        kernels.launch("fill_b32", kernels.arguments(new long[] {words, 5}, 0x12345678));
        int[] expected = {0x12345678, 0x12345678, 0x12345678, 0x12345678, 0x12345678, -1};
        assertArrayEquals(expected, kernels.ints(words, 6));
        long halves = kernels.memory(4 * 2);
        kernels.launch("fill_b16", kernels.arguments(new long[] {halves, 3}, 0x3C00));
        assertArrayEquals(new short[] {0x3C00, 0x3C00, 0x3C00, -1}, kernels.shorts(halves, 4));
    }

    @Test
    void noiseIsThatOfThePipelines() {
        // What the class Noise of the pipelines draws: of step 7 from element 5 on, the first latents, and of an image.
        assertNoise(5, 0x123456789ABCDEFL, 1L << 32 | 7, 1.2529898f, -0.11032792f, 0.041945778f, -0.0590742f,
            0.114582606f, -0.15951191f, -0.5387463f, 1.3696966f);
        assertNoise(0, -42, 0, 0.84896225f, -0.05981831f, -0.054726563f, 0.10425106f, 0.90561223f, 0.12144286f,
            -1.7694341f);
        assertNoise(1L << 36, 1, 2L << 32, -0.195945f, -1.7719576f, -1.1399406f, -1.6724217f, 0.55888546f);
    }

    private void assertNoise(long first, long seed, long stream, float... expected) {
        long out = kernels.memory((expected.length + 1) * 4L);
        kernels.launch("normal_f32", kernels.arguments(new long[] {out, expected.length, first, seed, stream}));
        float[] result = kernels.floats(out, expected.length + 1);
        assertArrayEquals(expected, Arrays.copyOf(result, expected.length), 1e-7f);
        assertEquals(Float.NaN, result[expected.length], "beyond the end");
    }

    @Test
    void aPictureIsClampedRoundedToEvenAndInterleaved() {
        // Three pixels: their red, then green, then blue. -0.49411765 becomes 64.5 and 0 becomes 127.5, both ties.
        float[] planes = {-1, 1, 0, -0.49411765f, 3, Float.NEGATIVE_INFINITY, 0.5f, -3, Float.NaN};
        long out = kernels.memory(10);
        kernels.launch("image_rgb8", kernels.arguments(new long[] {kernels.upload(planes), out, 3}));
        byte[] expected = {0, 64, (byte) 191, (byte) 255, (byte) 255, 0, (byte) 128, 0, 0, -1};
        assertArrayEquals(expected, kernels.bytes(out, 10));
    }

    @Test
    void aGuardNamesTheLowestLabelWithABadValue() {
        float[] good = values(4);
        good[0] = Float.MAX_VALUE;
        float[] bad = good.clone();
        bad[COUNT - 1] = Float.NEGATIVE_INFINITY;
        long mark = kernels.memory(4);
        kernels.launch("fill_b32", kernels.arguments(new long[] {mark, 1}, Integer.MAX_VALUE));
        guard("guard_f32", kernels.upload(good), mark, 1);
        assertEquals(Integer.MAX_VALUE, kernels.ints(mark, 1)[0]);
        guard("guard_f32", kernels.upload(bad), mark, 9);
        assertEquals(9, kernels.ints(mark, 1)[0]);
        bad[COUNT - 1] = Float.NaN;
        for (KernelsHalfType type : KernelsHalfType.values()) {
            good[0] = type.largest();
            bad[0] = good[0];
            guard("guard_" + type.kernelName(), kernels.upload(type.of(good)), mark, 2);
            guard("guard_" + type.kernelName(), kernels.upload(type.of(bad)), mark, 5);
        }
        assertEquals(5, kernels.ints(mark, 1)[0]);
        guard("guard_f32", kernels.upload(bad), mark, 7);
        assertEquals(5, kernels.ints(mark, 1)[0]);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 1024})
    void rescalingGivesTheSameBitsWithAnyNumberOfThreads(int threads) {
        float[] text = values(5);
        float[] guided = values(6);
        int half = COUNT / 2;
        long out = kernels.memory((COUNT + 1) * 4);
        long[] struct = {kernels.upload(text), kernels.upload(guided), out, kernels.memory(2 * 256 * 32), half,
            (long) Float.floatToIntBits(0.7f) << 32 | 2};
        kernels.launch("rescale_spread_f32", 1, threads, kernels.arguments(struct));
        kernels.launch("rescale_f32", 1, threads, kernels.arguments(struct));
        float[] result = kernels.floats(out, COUNT + 1);
        for (int i = 0; i < COUNT; i++) {
            int start = i / half * half;
            float ratio = (float) Math.sqrt(laneVariance(text, start, half) / laneVariance(guided, start, half));
            assertEquals((0.7f * ratio + (1 - 0.7f)) * guided[i], result[i], "element " + i);
        }
        assertEquals(Float.NaN, result[COUNT], "beyond the end");
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "1, 256", "3, 32", "5, 1024"})
    void aThresholdHasTheSameBitsWithAnyBlocks(int blocks, int threads) {
        float[] values = values(7);
        int half = COUNT / 2;
        long out = kernels.memory((COUNT + 1) * 4);
        float rank = 0.9f * (half - 1);
        float share = rank - (int) rank;
        MemorySegment struct = kernels.arguments(new long[] {kernels.upload(values), out, half, (long) rank,
            (long) Float.floatToIntBits(1.5f) << 32 | Float.floatToIntBits(share)}, 2);
        kernels.launch("threshold_f32", blocks, threads, struct);
        float[] result = kernels.floats(out, COUNT + 1);
        for (int i = 0; i < COUNT; i++) {
            float[] sorted = new float[half];
            for (int k = 0; k < half; k++) {
                sorted[k] = Math.abs(values[i / half * half + k]);
            }
            Arrays.sort(sorted);
            float below = sorted[(int) rank];
            float above = sorted[(int) rank + 1];
            float quantile = share < 0.5f ? below + share * (above - below) : above - (above - below) * (1 - share);
            float bound = Math.min(Math.max(quantile, 1), 1.5f);
            assertEquals(Math.min(Math.max(values[i], -bound), bound) / bound, result[i], "element " + i);
        }
        assertEquals(Float.NaN, result[COUNT], "beyond the end");
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "1, 256", "3, 32", "5, 1024"})
    void aChangeHasTheSameBitsWithAnyBlocks(int blocks, int threads) {
        float[] now = values(8);
        float[] then = values(9);
        double moved = 0;
        double size = 0;
        // With fewer elements than lanes each has one, so the groups are the sums of every 256th.
        for (int group = 0; group < 256; group++) {
            double groupMoved = 0;
            double groupSize = 0;
            for (int i = group; i < COUNT; i += 256) {
                groupMoved += Math.abs((double) now[i] - then[i]);
                groupSize += Math.abs((double) then[i]);
            }
            moved += groupMoved;
            size += groupSize;
        }
        long out = kernels.memory(8);
        long[] struct = {kernels.upload(now), kernels.upload(then), kernels.memory(16_384 * 16), out, COUNT};
        kernels.launch("change_lanes_f32", blocks, threads, kernels.arguments(struct));
        kernels.launch("change_f32", blocks, threads, kernels.arguments(struct));
        float[] result = kernels.floats(out, 2);
        assertEquals((float) (moved / size), result[0]);
        assertEquals(Float.NaN, result[1], "beyond the end");
    }

    /** Times the number of elements, added up in 256 lanes as the kernel does. */
    private static double laneVariance(float[] values, int start, int count) {
        double[] sums = new double[256];
        double[] squares = new double[256];
        for (int i = 0; i < count; i++) {
            sums[i % 256] += values[start + i];
            squares[i % 256] += (double) values[start + i] * values[start + i];
        }
        double sum = Arrays.stream(sums).reduce(0, Double::sum);
        return Arrays.stream(squares).reduce(0, Double::sum) - sum * sum / count;
    }

    private void guard(String kernel, long tensor, long mark, int label) {
        kernels.launch(kernel, kernels.arguments(new long[] {tensor, mark, COUNT}, label));
    }
}
