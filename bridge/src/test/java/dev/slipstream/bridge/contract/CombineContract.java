package dev.slipstream.bridge.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.Stream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Combinations, against sums in double precision. */
public interface CombineContract {
    DeviceFixture fixture();

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
    default void sumsAreThoseOfDoublePrecision(int terms) {
        for (int elements : new int[] {0, 1, 7, 2048, 10_001}) {
            Random random = new Random(31L * terms + elements);
            List<Slice> inputs = new ArrayList<>();
            List<Float> weights = new ArrayList<>();
            double[] expected = new double[elements];
            double[] magnitude = new double[elements];
            for (int term = 0; term < terms; term++) {
                float weight = (float) random.nextGaussian();
                float[] values = new float[elements];
                for (int i = 0; i < elements; i++) {
                    values[i] = (float) random.nextGaussian();
                    expected[i] += (double) weight * values[i];
                    magnitude[i] += Math.abs((double) weight * values[i]);
                }
                inputs.add(fixture().floats(values).all());
                weights.add(weight);
            }
            Buffer out = fixture().buffer(fixture().device(), 4L * elements);
            combine(new Combination(out.all(), inputs, weights));
            float[] actual = fixture().read(out);
            for (int i = 0; i < elements; i++) {
                // Each of the terms' products and sums may be off by half a unit in the last place.
                assertEquals(expected[i], actual[i], terms * magnitude[i] * Math.ulp(1f), "element " + i);
            }
        }
    }

    @Test
    default void theOutputMayBeAnInput() {
        float[] values = new float[5000];
        float[] expected = new float[5000];
        for (int i = 0; i < values.length; i++) {
            values[i] = i;
            expected[i] = 2.5f * i - 100;
        }
        float[] hundred = new float[5000];
        Arrays.fill(hundred, 100);
        Buffer inOut = fixture().floats(values);
        combine(new Combination(inOut.all(), List.of(inOut.all(), fixture().floats(hundred).all(), inOut.all()),
            List.of(2f, -1f, 0.5f)));
        assertArrayEquals(expected, fixture().read(inOut));
    }

    @Test
    default void slicesAreCombinedAtTheirOffsets() {
        Buffer buffer = fixture().floats(1, 2, 3, 4, 5, 6);
        combine(new Combination(buffer.slice(16, 8), List.of(buffer.slice(0, 8), buffer.slice(8, 8)),
            List.of(1f, 10f)));
        assertArrayEquals(new float[] {1, 2, 3, 4, 31, 42}, fixture().read(buffer));
    }

    @Test
    default void oneCombinationIsQueuedOften() {
        Buffer buffer = fixture().floats(1, -1);
        Combination twice = new Combination(buffer.all(), List.of(buffer.all()), List.of(2f));
        Stream stream = fixture().stream();
        for (int i = 0; i < 10; i++) {
            stream.combine(twice);
        }
        stream.synchronize();
        assertArrayEquals(new float[] {1024, -1024}, fixture().read(buffer));
    }

    @Test
    default void buffersOfAnotherDeviceAreRefused() {
        Buffer there = fixture().floats(fixture().other(), 1);
        Combination combination = new Combination(there.all(), List.of(there.all()), List.of(1f));
        Stream stream = fixture().stream();
        assertThrows(IllegalArgumentException.class, () -> stream.combine(combination));
    }

    private void combine(Combination combination) {
        Stream stream = fixture().stream();
        stream.combine(combination);
        stream.synchronize();
    }
}
