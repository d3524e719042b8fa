package dev.slipstream.bridge.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Arithmetic.RelativeChange;
import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.Device.HostMemory;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.Stream;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How far a tensor has moved, against sums in the order that the API fixes; and the way of the number to the host. */
public interface ChangeContract {
    DeviceFixture fixture();

    /** Sizes around those of groups, lanes and pieces, and several times the lanes. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 255, 256, 257, 2047, 2049, 16_383, 16_384, 16_385, 40_000, 70_001})
    default void theBitsAreThoseOfSumsInLanesAndGroups(int elements) {
        float[] now = values(elements, elements);
        float[] then = values(elements + 1, elements);
        assertEquals(expected(now, then), change(now, then));
    }

    @Test
    default void aTensorThatStaysHasMovedByNothing() {
        float[] values = values(3, 5000);
        assertEquals(0, change(values, values));
    }

    @Test
    default void aTensorThatDoublesHasMovedByAll() {
        float[] then = values(4, 5000);
        float[] now = new float[then.length];
        for (int i = 0; i < now.length; i++) {
            now[i] = 2 * then[i];
        }
        assertEquals(1, change(now, then));
    }

    @Test
    default void whatComesFromNothingHasMovedWithoutEndAndNothingFromNothingIsNoNumber() {
        assertEquals(Float.POSITIVE_INFINITY, change(new float[] {0, 1}, new float[] {0, 0}));
        assertEquals(Float.NaN, change(new float[300], new float[300]));
    }

    @Test
    default void anElementThatIsNoNumberIsNotHidden() {
        float[] values = values(5, 20_000);
        float[] bad = values.clone();
        bad[19_999] = Float.NaN;
        assertEquals(Float.NaN, change(bad, values));
        assertEquals(Float.NaN, change(values, bad));
    }

    /** As a loop reads what it decides by: nothing but an event tells that the number is there. */
    @Test
    default void theHostReadsTheNumberWhenTheEventBehindItIsThere() throws Exception {
        float[] now = values(6, 3000);
        float[] then = values(7, 3000);
        Buffer out = fixture().buffer(fixture().device(), 4);
        Stream stream = fixture().stream();
        Event there = fixture().event();
        try (HostMemory memory = fixture().device().allocateHost(8)) {
            memory.bytes().setAtIndex(ValueLayout.JAVA_FLOAT, 0, -1);
            memory.bytes().setAtIndex(ValueLayout.JAVA_FLOAT, 1, -1);
            RelativeChange change = new RelativeChange(out.all(), fixture().floats(now).all(),
                fixture().floats(then).all(), work());
            DeviceFixture.Gate gate = fixture().block(stream);
            stream.compare(change);
            stream.download(out.all(), memory.bytes().asSlice(4, 4));
            stream.record(there);
            assertEquals(-1, memory.bytes().getAtIndex(ValueLayout.JAVA_FLOAT, 1));
            gate.open();
            assertTrue(there.await(Duration.ofSeconds(30)));
            assertEquals(expected(now, then), memory.bytes().getAtIndex(ValueLayout.JAVA_FLOAT, 1));
            assertEquals(-1, memory.bytes().getAtIndex(ValueLayout.JAVA_FLOAT, 0));
            stream.synchronize();
        }
    }

    @Test
    default void hostMemoryIsOneOfTheObjectsOfItsDevice() {
        Device device = fixture().device();
        int before = device.liveObjects();
        HostMemory memory = device.allocateHost(12);
        assertEquals(12, memory.bytes().byteSize());
        assertEquals(before + 1, device.liveObjects());
        memory.close();
        memory.close();
        assertEquals(before, device.liveObjects());
        assertThrows(IllegalStateException.class, memory::bytes);
        assertThrows(IllegalArgumentException.class, () -> device.allocateHost(0));
    }

    @Test
    default void theTensorsStayAsTheyAre() {
        float[] now = values(8, 1000);
        float[] then = values(9, 1000);
        Buffer first = fixture().floats(now);
        Buffer second = fixture().floats(then);
        Buffer out = fixture().buffer(fixture().device(), 4);
        queue(new RelativeChange(out.all(), first.all(), second.all(), work()));
        assertArrayEquals(now, fixture().read(first));
        assertArrayEquals(then, fixture().read(second));
    }

    @Test
    default void whatDoesNotFitToBeComparedIsRefused() {
        Slice four = fixture().floats(1, 2, 3, 4).all();
        Slice other = fixture().floats(1, 2, 3, 4).all();
        Slice out = fixture().floats(0, 0).all();
        Slice one = out.slice(0, 4);
        Slice work = work();
        refuseChange(out, four, other, work);
        refuseChange(one, four, other.slice(0, 8), work);
        refuseChange(one, four, other, work.slice(0, work.bytes() - 8));
        refuseChange(four.slice(0, 4), four, other, work);
        refuseChange(other.slice(0, 4), four, other, work);
        refuseChange(work.slice(0, 4), four, other, work);
        refuseChange(one, work.slice(0, 16), other, work);
        Slice there = fixture().floats(fixture().other(), 1, 2, 3, 4).all();
        refuseChange(one, there, there, work);
        refuseChange(one, four, there, work);
        RelativeChange elsewhere = new RelativeChange(fixture().floats(fixture().other(), 0).all(), there,
            fixture().floats(fixture().other(), 1, 2, 3, 4).all(),
            fixture().buffer(fixture().other(), RelativeChange.WORK_BYTES).all());
        Stream stream = fixture().stream();
        assertThrows(IllegalArgumentException.class, () -> stream.compare(elsewhere));
    }

    private static void refuseChange(Slice out, Slice now, Slice then, Slice work) {
        assertThrows(IllegalArgumentException.class, () -> new RelativeChange(out, now, then, work));
    }

    private float change(float[] now, float[] then) {
        Buffer out = fixture().buffer(fixture().device(), 4);
        queue(new RelativeChange(out.all(), fixture().floats(now).all(), fixture().floats(then).all(), work()));
        return fixture().read(out)[0];
    }

    private Slice work() {
        return fixture().buffer(fixture().device(), RelativeChange.WORK_BYTES).all();
    }

    private void queue(RelativeChange change) {
        Stream stream = fixture().stream();
        stream.compare(change);
        stream.synchronize();
    }

    private static float expected(float[] now, float[] then) {
        double[] moved = new double[RelativeChange.LANES];
        double[] size = new double[RelativeChange.LANES];
        for (int i = 0; i < now.length; i++) {
            moved[i % moved.length] += Math.abs((double) now[i] - then[i]);
            size[i % size.length] += Math.abs((double) then[i]);
        }
        return (float) (sum(moved) / sum(size));
    }

    private static double sum(double[] lanes) {
        double[] groups = new double[RelativeChange.GROUPS];
        for (int lane = 0; lane < lanes.length; lane++) {
            groups[lane % groups.length] += lanes[lane];
        }
        return Arrays.stream(groups).reduce(0, Double::sum);
    }

    private static float[] values(int seed, int count) {
        Random random = new Random(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }
}
