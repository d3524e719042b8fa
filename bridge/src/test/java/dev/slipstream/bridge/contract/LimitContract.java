package dev.slipstream.bridge.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.slipstream.bridge.Arithmetic.Limit;
import dev.slipstream.bridge.Arithmetic.Limiting;
import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.Stream;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Bounds for the values of pictures, against quantiles of sorted values. */
public interface LimitContract {
    Limit ONE = new Limit.Clamp(1);

    DeviceFixture fixture();

    @ParameterizedTest
    @ValueSource(floats = {0.5f, 1, 3.25f})
    default void clampedValuesBecomeTheEndsOfTheRange(float range) {
        float[] values = values(1, 5000, 2);
        float[] expected = values.clone();
        for (int i = 0; i < expected.length; i++) {
            expected[i] = Math.min(Math.max(expected[i], -range), range);
        }
        assertArrayEquals(expected, limit(values, 2, new Limit.Clamp(range)));
    }

    /** Sizes around those of blocks, ratios that fall on a value and on both sides of a middle, several pictures. */
    @ParameterizedTest
    @CsvSource({"1, 6, 0.65, 100", "1, 7, 0.72, 100", "2, 1000, 0.9012, 100", "1, 5000, 0.90024, 100",
        "1, 1, 0.995, 100", "1, 2, 0.5, 100", "2, 5, 0.25, 100", "3, 255, 0.995, 100", "2, 256, 0.9, 100",
        "2, 257, 0.995, 1.5", "1, 1000, 0, 100", "1, 1000, 1, 100", "4, 4096, 0.995, 100", "2, 10001, 0.3, 100"})
    default void aPictureIsDividedByTheQuantileOfItsMagnitudes(int pictures, int elements, float ratio, float largest) {
        float[] values = values(elements, pictures * elements, 3);
        for (int picture = 0; picture < pictures; picture++) { // of different sizes
            for (int i = 0; i < elements; i++) {
                values[picture * elements + i] *= picture + 1;
            }
        }
        float[] limited = limit(values, pictures, new Limit.DynamicThreshold(ratio, largest));
        for (int picture = 0; picture < pictures; picture++) {
            int start = picture * elements;
            float bound = Math.min(Math.max(quantile(values, start, elements, ratio), 1), largest);
            for (int i = start; i < start + elements; i++) {
                assertEquals(Math.min(Math.max(values[i], -bound), bound) / bound, limited[i], "element " + i);
            }
        }
    }

    /** By hand: the 0.8-quantile of 0, 1, 2, 3, 4, 6 is the value with index 4. */
    @Test
    default void quantilesAreThoseOfPyTorch() {
        float[] values = {-6, 0, 1, -2, 4, 3};
        assertArrayEquals(new float[] {-1, 0, 0.25f, -0.5f, 1, 0.75f},
            limit(values, 1, new Limit.DynamicThreshold(0.8f, 10)));
        assertArrayEquals(new float[] {-1, 0, 0.2f, -0.4f, 0.8f, 0.6f}, // a half between 4 and 6
            limit(values, 1, new Limit.DynamicThreshold(0.9f, 10)));
        assertArrayEquals(new float[] {-1, 0, 1, -1, 1, 1}, limit(values, 1, new Limit.DynamicThreshold(0, 10)));
        assertArrayEquals(new float[] {-1, 0, 0.5f, -1, 1, 1}, limit(values, 1, new Limit.DynamicThreshold(0.9f, 2)));
    }

    /** PyTorch's {@code lerp} begins at the nearer value; the other way the last bit would be another one here. */
    @Test
    default void aQuantileIsReckonedFromTheNearerValue() {
        assertArrayEquals(new float[] {0.48182362f, 1},
            limit(new float[] {2.9f, 9.68f}, 1, new Limit.DynamicThreshold(0.46f, 100)));
        assertArrayEquals(new float[] {0.2789584f, 1},
            limit(new float[] {2.54f, 10.45f}, 1, new Limit.DynamicThreshold(0.83f, 100)));
    }

    /** As PyTorch's {@code lerp}: from the nearer of two values, which rounds differently. */
    @Test
    default void aQuantileBetweenTwoValuesIsReckonedFromTheNearerOne() {
        assertArrayEquals(new float[] {0.5f, 1}, limit(new float[] {1, 5}, 1, new Limit.DynamicThreshold(0.25f, 10)));
        assertArrayEquals(new float[] {0.25f, 1}, limit(new float[] {1, 5}, 1, new Limit.DynamicThreshold(0.75f, 10)));
        float below = 2.519451f;
        float above = 6.8417654f;
        float middle = above - (above - below) * 0.5f;
        assertArrayEquals(new float[] {below / middle, 1},
            limit(new float[] {below, above}, 1, new Limit.DynamicThreshold(0.5f, 10)));
    }

    @Test
    default void equalMagnitudesHaveOneQuantile() {
        float[] values = {2, -2, 2, 2, -2, 2, -2, -2};
        assertArrayEquals(new float[] {1, -1, 1, 1, -1, 1, -1, -1},
            limit(values, 1, new Limit.DynamicThreshold(0.7f, 10)));
    }

    @Test
    default void aPictureOfSmallValuesStaysAsItIs() {
        float[] values = values(2, 3000, 0.1f);
        assertArrayEquals(values, limit(values, 3, new Limit.DynamicThreshold(0.995f, 2)));
        assertArrayEquals(values, limit(values, 3, ONE));
    }

    @Test
    default void valuesThatAreNoNumbersAreNotHidden() {
        float[] values = values(3, 300, 1);
        values[299] = Float.NaN;
        values[7] = Float.POSITIVE_INFINITY;
        for (Limit limit : new Limit[] {ONE, new Limit.DynamicThreshold(0.9f, 2)}) {
            float[] limited = limit(values, 1, limit);
            assertEquals(Float.NaN, limited[299], limit.toString());
            assertEquals(1, limited[7], limit.toString());
        }
    }

    @Test
    default void theOutputMayBeTheInput() {
        float[] values = values(4, 2048, 3);
        for (Limit limit : new Limit[] {ONE, new Limit.DynamicThreshold(0.99f, 8)}) {
            Buffer inOut = fixture().floats(values);
            queue(new Limiting(inOut.all(), inOut.all(), 2, limit));
            assertArrayEquals(limit(values, 2, limit), fixture().read(inOut), limit.toString());
        }
    }

    @Test
    default void whatDoesNotFitIsNotLimited() {
        Slice four = fixture().floats(1, 2, 3, 4).all();
        Slice other = fixture().floats(1, 2, 3, 4).all();
        refused(four, other.slice(0, 8), 1);
        refused(four.slice(0, 8), four.slice(4, 8), 1);
        refused(four, other, 3);
        refused(four, other, 0);
        refused(four.slice(0, 0), other.slice(0, 0), 1);
        for (float bad : new float[] {0, -1, Float.NaN, Float.POSITIVE_INFINITY}) {
            assertThrows(IllegalArgumentException.class, () -> new Limit.Clamp(bad));
            assertThrows(IllegalArgumentException.class, () -> new Limit.DynamicThreshold(0.9f, bad));
        }
        for (float bad : new float[] {-0.1f, 1.1f, Float.NaN}) {
            assertThrows(IllegalArgumentException.class, () -> new Limit.DynamicThreshold(bad, 1));
        }
    }

    @Test
    default void tensorsOfAnotherDeviceAreNotLimited() {
        Slice there = fixture().floats(fixture().other(), 1, 2).all();
        Stream stream = fixture().stream();
        assertThrows(IllegalArgumentException.class, () -> stream.limit(new Limiting(there, there, 1, ONE)));
        refused(there, fixture().floats(1, 2).all(), 1);
    }

    private static void refused(Slice out, Slice in, int pictures) {
        assertThrows(IllegalArgumentException.class, () -> new Limiting(out, in, pictures, ONE));
    }

    private float[] limit(float[] values, int pictures, Limit limit) {
        Buffer out = fixture().buffer(fixture().device(), 4L * values.length);
        queue(new Limiting(out.all(), fixture().floats(values).all(), pictures, limit));
        return fixture().read(out);
    }

    private void queue(Limiting limiting) {
        Stream stream = fixture().stream();
        stream.limit(limiting);
        stream.synchronize();
    }

    private static float[] values(int seed, int count, float deviation) {
        Random random = new Random(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian() * deviation;
        }
        return values;
    }

    private static float quantile(float[] values, int start, int count, float ratio) {
        float[] sorted = new float[count];
        for (int i = 0; i < count; i++) {
            sorted[i] = Math.abs(values[start + i]);
        }
        Arrays.sort(sorted);
        float rank = ratio * (count - 1);
        float share = rank - (int) rank;
        float below = sorted[(int) rank];
        float above = sorted[Math.min((int) rank + 1, count - 1)];
        return share < 0.5f ? below + share * (above - below) : above - (above - below) * (1 - share);
    }
}
