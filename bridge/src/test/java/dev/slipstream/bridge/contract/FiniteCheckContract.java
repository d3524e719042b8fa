package dev.slipstream.bridge.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.TensorType;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Guards against NaN and infinite values. */
public interface FiniteCheckContract {
    int UNTOUCHED = Integer.MAX_VALUE;

    DeviceFixture fixture();

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    default void oneBadFloatAnywhereIsFound(float bad) {
        for (int position : new int[] {0, 1, 2047, 2048, 5000}) {
            float[] values = new float[5001];
            values[position] = bad;
            assertEquals(7, checkFinite(tensor(values), UNTOUCHED, 7), "at " + position);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 1000})
    default void numbersAreNoReasonToMark(int elements) {
        float[] values = new float[elements];
        for (int i = 0; i < elements; i++) {
            values[i] = (i % 2 == 0 ? 1 : -1) * (i % 3 == 0 ? Float.MAX_VALUE : i % 3 == 1 ? Float.MIN_VALUE : 0);
        }
        assertEquals(UNTOUCHED, checkFinite(tensor(values), UNTOUCHED, 7));
    }

    @Test
    default void theLowestLabelStays() {
        Tensor bad = tensor(Float.NaN);
        assertEquals(7, checkFinite(bad, 8, 7));
        assertEquals(7, checkFinite(bad, 7, 7));
        assertEquals(6, checkFinite(bad, 6, 7));
        assertEquals(-3, checkFinite(bad, 0, -3));
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT16", "BFLOAT16"})
    default void halfFloatsAreGuardedToo(DataType type) {
        short infinity = (short) (type == DataType.FLOAT16 ? 0x7C00 : 0x7F80);
        for (short bad : new short[] {infinity, (short) (infinity | 1), (short) (infinity | 0x8000)}) {
            assertEquals(7, checkFinite(halves(type, (short) 0, bad, (short) 0x3C00), UNTOUCHED, 7));
        }
        short largest = (short) (infinity - 1);
        Tensor good = halves(type, largest, (short) (largest | 0x8000), (short) 1);
        assertEquals(UNTOUCHED, checkFinite(good, UNTOUCHED, 7));
        assertEquals(UNTOUCHED, checkFinite(halves(type, (short) 0, (short) 0x8000), UNTOUCHED, 7));
    }

    @Test
    default void onlyTheTensorsOwnBytesAreLookedAt() {
        Buffer buffer = fixture().floats(Float.NaN, 1, 2, Float.NaN);
        Tensor middle = new Tensor(buffer.slice(4, 8), TensorType.of(DataType.FLOAT32, 2));
        assertEquals(UNTOUCHED, checkFinite(middle, UNTOUCHED, 7));
    }

    @Test
    default void aGuardSeesWhatWasQueuedBeforeItAndNotWhatCameAfter() {
        Buffer buffer = fixture().floats(1);
        Tensor tensor = DeviceFixture.tensor(buffer, DataType.FLOAT32, 1);
        Buffer mark = ints(UNTOUCHED);
        MemorySegment bad = fixture().host(Float.NaN);
        MemorySegment good = fixture().host(1);
        Stream stream = fixture().stream();
        DeviceFixture.Gate gate = fixture().block(stream);
        stream.checkFinite(tensor, mark.all(), 1);
        stream.upload(bad, buffer.all());
        stream.checkFinite(tensor, mark.all(), 2);
        stream.upload(good, buffer.all());
        gate.open();
        stream.synchronize();
        assertEquals(2, readInt(mark));
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = {"FLOAT32", "FLOAT16", "BFLOAT16"})
    default void tensorsWithoutFloatingPointAreRefused(DataType type) {
        Tensor tensor = new Tensor(fixture().buffer(fixture().device(), 8).slice(0, type.bytes()),
            TensorType.of(type, 1));
        refused(tensor, ints(0).all());
    }

    @Test
    default void aMarkIsOneInt32OutsideOfTheTensor() {
        Buffer marks = ints(0, 0, 0);
        Tensor tensor = tensor(1);
        refused(tensor, marks.slice(0, 8));
        refused(tensor, marks.slice(2, 4));
        refused(new Tensor(marks.slice(0, 8), TensorType.of(DataType.FLOAT32, 2)), marks.slice(4, 4));
        refused(tensor, fixture().buffer(fixture().other(), 4).all());
        refused(DeviceFixture.tensor(fixture().floats(fixture().other(), 1), DataType.FLOAT32, 1), marks.slice(0, 4));
    }

    private void refused(Tensor tensor, Slice mark) {
        Stream stream = fixture().stream();
        assertThrows(IllegalArgumentException.class, () -> stream.checkFinite(tensor, mark, 1));
        stream.synchronize();
    }

    private int checkFinite(Tensor tensor, int before, int label) {
        Buffer mark = ints(before);
        Stream stream = fixture().stream();
        stream.checkFinite(tensor, mark.all(), label);
        stream.synchronize();
        return readInt(mark);
    }

    private Tensor tensor(float... values) {
        return DeviceFixture.tensor(fixture().floats(values), DataType.FLOAT32, values.length);
    }

    private Tensor halves(DataType type, short... values) {
        Buffer buffer = fixture().buffer(fixture().device(), 2L * values.length);
        upload(MemorySegment.ofArray(values), buffer);
        return DeviceFixture.tensor(buffer, type, values.length);
    }

    private Buffer ints(int... values) {
        Buffer buffer = fixture().buffer(fixture().device(), 4L * values.length);
        upload(MemorySegment.ofArray(values), buffer);
        return buffer;
    }

    private void upload(MemorySegment values, Buffer to) {
        Stream stream = fixture().stream();
        stream.upload(values, to.all());
        stream.synchronize();
    }

    private int readInt(Buffer buffer) {
        int[] values = new int[1];
        Stream stream = fixture().stream();
        stream.download(buffer.all(), MemorySegment.ofArray(values));
        stream.synchronize();
        return values[0];
    }
}
