package dev.slipstream.pipelines.diffusion.noise;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

class NoiseTest {
    private static final float[] GOLDEN_LATENTS = {-0.97018981f, 0.19401896f, -1.23562074f, 1.92392671f, -0.07318151f};
    private static final float[] GOLDEN_STEP = {0.770757854f, -0.742392004f};

    /** Box and Muller applied to the first known answer of Philox, by hand. */
    @Test
    void seedZeroStartsWithKnownNumbers() {
        double radius = Math.sqrt(-2 * Math.log((0x6627e8d5L + 0.5) / 4294967296.0));
        double angle = 2 * Math.PI * ((0xe169c58dL + 0.5) / 4294967296.0);
        float[] numbers = Noise.initialLatents(0).draw(2);
        assertEquals(radius * Math.cos(angle), numbers[0], 1e-6);
        assertEquals(radius * Math.sin(angle), numbers[1], 1e-6);
    }

    /** These must never change: a seed is a promise. */
    @Test
    void aSeedKeepsItsNumbers() {
        assertArrayEquals(GOLDEN_LATENTS, Noise.initialLatents(42).draw(5));
        assertArrayEquals(GOLDEN_STEP, Noise.ofStep(42, 3).draw(2));
    }

    @Test
    void momentsAreThoseOfTheStandardNormalDistribution() {
        int count = 1 << 18;
        float[] numbers = Noise.initialLatents(7).draw(count);
        double[] moments = new double[5];
        int beyondTwo = 0;
        for (float number : numbers) {
            for (int power = 1; power <= 4; power++) {
                moments[power] += Math.pow(number, power) / count;
            }
            beyondTwo += Math.abs(number) > 2 ? 1 : 0;
        }
        // About five standard errors each.
        assertEquals(0, moments[1], 0.01);
        assertEquals(1, moments[2], 0.014);
        assertEquals(0, moments[3], 0.04);
        assertEquals(3, moments[4], 0.1);
        assertEquals(0.0455, (double) beyondTwo / count, 0.002);
    }

    @Test
    void neighboursAreNotCorrelated() {
        int count = 1 << 18;
        float[] numbers = Noise.initialLatents(8).draw(count + 4);
        for (int lag = 1; lag <= 4; lag++) {
            double sum = 0;
            for (int i = 0; i < count; i++) {
                sum += numbers[i] * numbers[i + lag];
            }
            assertEquals(0, sum / count, 0.01, "lag " + lag);
        }
    }

    @Test
    void seedsAndPurposesAndStepsAreNotCorrelated() {
        int count = 1 << 16;
        List<float[]> sequences = List.of(Noise.initialLatents(1).draw(count), Noise.initialLatents(2).draw(count),
            Noise.initialLatents(1L << 32).draw(count), Noise.ofStep(1, 0).draw(count), Noise.ofStep(1, 1).draw(count),
            Noise.ofImage(1).draw(count));
        for (int a = 0; a < sequences.size(); a++) {
            for (int b = 0; b < a; b++) {
                double sum = 0;
                for (int i = 0; i < count; i++) {
                    sum += sequences.get(a)[i] * sequences.get(b)[i];
                }
                assertEquals(0, sum / count, 0.02, "sequences " + a + " and " + b);
            }
        }
    }

    @Property(tries = 200)
    void piecesAreThoseOfTheWhole(@ForAll long seed, @ForAll @IntRange(max = 300) int first,
                                  @ForAll @IntRange(max = 40) int length) {
        float[] whole = Noise.ofStep(seed, 5).draw(first + length);
        float[] piece = new float[length];
        Noise.ofStep(seed, 5).fill(piece, first);
        assertArrayEquals(Arrays.copyOfRange(whole, first, first + length), piece);
    }

    @Property(tries = 50)
    void farElementsCanBeReachedAtOnce(@ForAll @LongRange(min = 0, max = Long.MAX_VALUE - 100) long first) {
        float[] here = new float[9];
        float[] oneOn = new float[8];
        Noise.initialLatents(3).fill(here, first);
        Noise.initialLatents(3).fill(oneOn, first + 1);
        assertArrayEquals(Arrays.copyOfRange(here, 1, 9), oneOn);
    }

    @Test
    void memoryAndArraysGetTheSameNumbers() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment unaligned = arena.allocate(41, 8).asSlice(1);
            Noise.ofImage(9).fill(unaligned, 6);
            float[] expected = new float[10];
            Noise.ofImage(9).fill(expected, 6);
            assertArrayEquals(expected, unaligned.toArray(ValueLayout.JAVA_FLOAT_UNALIGNED));
        }
    }

    @Test
    void badRangesAreRefused() {
        Noise noise = Noise.initialLatents(1);
        assertThrows(IllegalArgumentException.class, () -> noise.fill(new float[1], -1));
        assertThrows(IllegalArgumentException.class, () -> noise.fill(MemorySegment.ofArray(new byte[3]), 0));
        assertTrue(noise.draw(0).length == 0);
    }
}
