package dev.slipstream.bridge.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.slipstream.bridge.Arithmetic.GuidanceRescale;
import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.Stream;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Guidance rescale, against standard deviations in the way of the textbook. */
public interface RescaleContract {
    DeviceFixture fixture();

    @ParameterizedTest
    @CsvSource({"1, 2, 0.7", "1, 255, 1", "2, 256, 0.5", "3, 1000, 0.7", "2, 4096, 0.3", "1, 10001, 1"})
    default void eachPictureGetsTheSpreadOfItsText(int pictures, int elements, float strength) {
        float[] text = values(1, pictures * elements, 0.5f, 0.1f);
        float[] guided = values(2, pictures * elements, 3, -2);
        float[] rescaled = rescale(text, guided, pictures, strength);
        for (int picture = 0; picture < pictures; picture++) {
            double ratio = deviation(text, picture * elements, elements)
                / deviation(guided, picture * elements, elements);
            double factor = strength * ratio + 1 - strength;
            for (int i = picture * elements; i < (picture + 1) * elements; i++) {
                assertEquals(factor * guided[i], rescaled[i], 3e-7 * Math.abs(guided[i]), "element " + i);
            }
        }
    }

    @Test
    default void strengthOneMakesTheDeviationsEqual() {
        float[] text = values(3, 5000, 0.7f, 4);
        float[] rescaled = rescale(text, values(4, 5000, 2, 0), 1, 1);
        assertEquals(deviation(text, 0, 5000), deviation(rescaled, 0, 5000), 1e-6);
    }

    @Test
    default void strengthZeroChangesNoBit() {
        float[] guided = values(5, 777, 2, 1);
        assertArrayEquals(guided, rescale(values(6, 777, 1, 0), guided, 1, 0));
    }

    @Test
    default void aGuidedPredictionWithoutSpreadStaysAsItIs() {
        float[] flat = new float[600];
        Arrays.fill(flat, 1.5f);
        assertArrayEquals(flat, rescale(values(7, 600, 1, 0), flat, 1, 0.7f));
    }

    @Test
    default void aTextWithoutSpreadTakesTheSpreadAway() {
        float[] flat = new float[600];
        Arrays.fill(flat, 0.3f); // whose squares and sums do not come out even
        for (float value : rescale(flat, values(8, 600, 1, 0), 1, 1)) {
            assertEquals(0, value, 1e-6);
        }
    }

    @Test
    default void aValueThatIsNoNumberIsNotHidden() {
        float[] text = values(9, 300, 1, 0);
        text[299] = Float.NaN;
        for (float value : rescale(text, values(10, 300, 1, 0), 1, 0.5f)) {
            assertEquals(Float.NaN, value);
        }
    }

    @Test
    default void theOutputMayBeTheGuidedPrediction() {
        float[] text = values(11, 512, 1, 0);
        float[] guided = values(12, 512, 3, 0);
        Buffer inOut = fixture().floats(guided);
        queue(new GuidanceRescale(inOut.all(), inOut.all(), fixture().floats(text).all(), work(2), 2, 0.7f));
        assertArrayEquals(rescale(text, guided, 2, 0.7f), fixture().read(inOut));
    }

    @Test
    default void whatDoesNotFitIsRefused() {
        Slice four = fixture().floats(1, 2, 3, 4).all();
        Slice other = fixture().floats(1, 2, 3, 4).all();
        Slice work = work(1);
        refused(four, other.slice(0, 8), other, work, 1, 0.5f);
        refused(four, other, other.slice(0, 8), work, 1, 0.5f);
        refused(four, other, other, work, 3, 0.5f);
        refused(four, other, other, work, 0, 0.5f);
        refused(four, other, other, work.slice(0, work.bytes() - 8), 1, 0.5f);
        refused(four, other, other, work, 2, 0.5f);
        refused(four, other, other, fixture().buffer(fixture().device(), work.bytes() + 4).slice(4, work.bytes()), 1,
            0.5f);
        refused(work.slice(0, 8), work.slice(8, 8), work.slice(16, 8), work, 1, 0.5f);
        for (float strength : new float[] {-0.1f, 1.1f, Float.NaN}) {
            refused(four, other, other, work, 1, strength);
        }
    }

    @Test
    default void tensorsOfAnotherDeviceAreNotRescaled() {
        Slice there = fixture().floats(fixture().other(), 1, 2).all();
        Slice work = fixture().buffer(fixture().other(), GuidanceRescale.workBytes(1)).all();
        GuidanceRescale rescale = new GuidanceRescale(there, there, there, work, 1, 1);
        Stream stream = fixture().stream();
        assertThrows(IllegalArgumentException.class, () -> stream.rescale(rescale));
        refused(there, fixture().floats(1, 2).all(), there, work, 1, 1);
        refused(there, there, there, work(1), 1, 1);
    }

    private static void refused(Slice out, Slice guided, Slice text, Slice work, int pictures, float strength) {
        assertThrows(IllegalArgumentException.class,
            () -> new GuidanceRescale(out, guided, text, work, pictures, strength));
    }

    private float[] rescale(float[] text, float[] guided, int pictures, float strength) {
        Buffer out = fixture().buffer(fixture().device(), 4L * guided.length);
        queue(new GuidanceRescale(out.all(), fixture().floats(guided).all(), fixture().floats(text).all(),
            work(pictures), pictures, strength));
        return fixture().read(out);
    }

    private Slice work(int pictures) {
        return fixture().buffer(fixture().device(), GuidanceRescale.workBytes(pictures)).all();
    }

    private void queue(GuidanceRescale rescale) {
        Stream stream = fixture().stream();
        stream.rescale(rescale);
        stream.synchronize();
    }

    private static float[] values(int seed, int count, float deviation, float mean) {
        Random random = new Random(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian() * deviation + mean;
        }
        return values;
    }

    private static double deviation(float[] values, int start, int count) {
        double mean = 0;
        for (int i = start; i < start + count; i++) {
            mean += values[i] / (double) count;
        }
        double squares = 0;
        for (int i = start; i < start + count; i++) {
            squares += (values[i] - mean) * (values[i] - mean);
        }
        return Math.sqrt(squares / (count - 1));
    }
}
