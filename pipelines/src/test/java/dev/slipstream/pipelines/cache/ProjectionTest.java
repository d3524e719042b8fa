package dev.slipstream.pipelines.cache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.slipstream.bridge.Shape;
import java.util.Map;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

class ProjectionTest {
    private static final Shape SHAPE = Shape.of(20, 64);

    @Property(tries = 200)
    void anglesStayNearlyWhatTheyWere(@ForAll @LongRange(min = 0, max = 1 << 20) long seed,
            @ForAll @DoubleRange(min = 0.01, max = 3) double noise) {
        HalfTensor one = CacheSamples.tensor(SHAPE, seed);
        HalfTensor other = CacheSamples.near(one, noise, seed + 1);
        double cosine = one.cosine(other);
        // The error shrinks as the two come together. Five of its standard deviations are room enough for 200 tries.
        assertEquals(cosine, dot(Projection.of(one), Projection.of(other)), 5 * (1 - cosine * cosine) / 16
            + 1e-3);
    }

    /** Vectors on disk are compared with those of later versions of Slipstream. */
    @Test
    void placesAndSignsAreFixed() {
        float[] vector = Projection.of(HalfTensor.of(Shape.of(3), new float[] {1, 2, 3}));
        Map<Integer, Long> sums = new TreeMap<>();
        for (int i = 0; i < vector.length; i++) {
            if (vector[i] != 0) {
                sums.put(i, Math.round(vector[i] * Math.sqrt(4 * (1 + 4 + 9))));
            }
        }
        assertEquals("{6=3, 20=1, 28=-3, 31=-1, 36=-1, 40=-2, 92=3, 101=1, 126=-2, 214=-3, 224=2, 246=-2}",
            sums.toString());
    }

    @Test
    void aTensorOfZerosHasNoDirection() {
        assertArrayEquals(new float[Projection.SIZE], Projection.of(HalfTensor.of(Shape.of(9), new float[9])));
    }

    @Test
    void whatDoesNotFitIntoHalvesIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> HalfTensor.of(Shape.of(1), new float[] {70_000}));
        assertThrows(IllegalArgumentException.class, () -> HalfTensor.of(Shape.of(1), new float[] {Float.NaN}));
    }

    @Test
    void tensorsOfOtherShapesHaveNothingInCommon() {
        HalfTensor one = CacheSamples.tensor(Shape.of(2, 8), 1);
        assertEquals(1, one.cosine(one), 1e-12);
        assertEquals(0, one.cosine(CacheSamples.tensor(Shape.of(16), 1)));
    }

    private static double dot(float[] one, float[] other) {
        double sum = 0;
        for (int i = 0; i < one.length; i++) {
            sum += one[i] * other[i];
        }
        return sum;
    }
}
