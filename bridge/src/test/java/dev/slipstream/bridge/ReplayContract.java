package dev.slipstream.bridge;

import static dev.slipstream.bridge.DeviceFixture.tensor;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.slipstream.bridge.DeviceFixture.Gate;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Recordings, where a device has them. */
public interface ReplayContract {
    DeviceFixture fixture();

    /** Opens one more device of the kind under test. */
    Device openDevice();

    @Test
    default void devicesThatDoNotReplaySaySo() {
        assumeFalse(fixture().device().replays(), "this device replays");
        Stream stream = fixture().stream();
        assertThrows(UnsupportedOperationException.class, stream::beginRecording);
        assertThrows(IllegalStateException.class, stream::endRecording);
        stream.synchronize();
    }

    @Test
    default void whatIsRecordedIsDoneOnlyWhenItIsReplayedAndThenEachTime() {
        Stream stream = recordingStream();
        Buffer buffer = fixture().floats(1, -1);
        stream.beginRecording();
        stream.combine(twice(buffer));
        Recording recording = fixture().keep(stream.endRecording());
        stream.synchronize();
        assertArrayEquals(new float[] {1, -1}, fixture().read(buffer));
        assertSame(fixture().device(), recording.device());
        for (int i = 0; i < 10; i++) {
            stream.replay(recording);
        }
        stream.synchronize();
        assertArrayEquals(new float[] {1024, -1024}, fixture().read(buffer));
    }

    @Test
    default void everyKindOfWorkIsRecorded() {
        Stream stream = recordingStream();
        Buffer x = fixture().floats(1, 2);
        Buffer y = fixture().floats(0, 0);
        Buffer z = fixture().floats(0, 0);
        Buffer w = fixture().floats(0, 0);
        Buffer work = fixture().buffer(fixture().device(), GuidanceRescale.workBytes(1));
        Buffer mark = fixture().floats(Float.intBitsToFloat(9));
        Bindings affine = fixture().context(fixture().engine("affine", TestModels.affine(2))).bind(Map.of(
            "x", tensor(x, DataType.FLOAT32, 2), "y", tensor(y, DataType.FLOAT32, 2)));
        stream.run(affine);
        stream.synchronize();
        stream.beginRecording();
        stream.run(affine);
        stream.rescale(new GuidanceRescale(z.all(), y.all(), x.all(), work.all(), 1, 1));
        stream.limit(new Limiting(z.all(), z.all(), 1, new Limit.Clamp(2)));
        stream.limit(new Limiting(w.all(), y.all(), 1, new Limit.DynamicThreshold(1, 4)));
        stream.combine(twice(y));
        stream.copy(y.all(), x.all());
        stream.guard(tensor(x, DataType.FLOAT32, 2), mark.all(), 5);
        Recording recording = fixture().keep(stream.endRecording());
        stream.replay(recording);
        stream.synchronize();
        assertArrayEquals(new float[] {6, 10}, fixture().read(x));
        assertArrayEquals(new float[] {1.5f, 2}, fixture().read(z));
        assertArrayEquals(new float[] {0.75f, 1}, fixture().read(w));
        assertEquals(9, Float.floatToRawIntBits(fixture().read(mark)[0]));
        stream.upload(fixture().host(Float.NaN, 1), x.all());
        stream.replay(recording);
        stream.synchronize();
        assertArrayEquals(new float[] {Float.NaN, 6}, fixture().read(x));
        assertEquals(5, Float.floatToRawIntBits(fixture().read(mark)[0]));
    }

    @Test
    default void replaysKeepTheirPlaceAmongOtherWork() {
        Stream stream = recordingStream();
        Buffer buffer = fixture().floats(1);
        Combination plusOne = new Combination(
            buffer.all(), List.of(buffer.all(), fixture().floats(1).all()), List.of(1f, 1f));
        stream.combine(plusOne);
        stream.beginRecording();
        stream.combine(twice(buffer));
        Recording recording = fixture().keep(stream.endRecording());
        Event between = fixture().event();
        Gate gate = fixture().block(stream);
        stream.replay(recording);
        stream.combine(plusOne);
        stream.record(between);
        stream.replay(recording);
        assertFalse(between.await(Duration.ofMillis(5)), "the replay does not wait for the work before it");
        gate.open();
        stream.synchronize();
        assertArrayEquals(new float[] {10}, fixture().read(buffer));
    }

    @Test
    default void oneStreamHasManyRecordingsAndAnotherStreamMayReplayThem() {
        Stream stream = recordingStream();
        Buffer buffer = fixture().floats(1);
        stream.beginRecording();
        stream.combine(twice(buffer));
        Recording twice = fixture().keep(stream.endRecording());
        stream.beginRecording();
        stream.combine(new Combination(
            buffer.all(), List.of(buffer.all(), fixture().floats(1).all()), List.of(1f, 1f)));
        Recording plusOne = fixture().keep(stream.endRecording());
        stream.beginRecording();
        Recording nothing = fixture().keep(stream.endRecording());
        Stream another = fixture().stream();
        for (Recording each : List.of(plusOne, twice, nothing, plusOne, plusOne, twice)) {
            another.replay(each);
        }
        another.synchronize();
        assertArrayEquals(new float[] {12}, fixture().read(buffer));
    }

    @Test
    default void copiesFromAnotherDeviceAreRecorded() {
        Buffer there = fixture().floats(fixture().other(), 42);
        Buffer here = fixture().floats(0);
        Stream stream = recordingStream();
        assumeTrue(fixture().device().recordsCopiesWith(fixture().other()), "it records no copies between devices");
        stream.beginRecording();
        stream.copy(there.all(), here.all());
        Recording recording = fixture().keep(stream.endRecording());
        stream.replay(recording);
        stream.synchronize();
        assertArrayEquals(new float[] {42}, fixture().read(here));
    }

    @Test
    default void copiesFromAnotherDeviceThatCannotBeRecordedAreRefusedAndTheRecordingGoesOn() {
        Buffer there = fixture().floats(fixture().other(), 42);
        Buffer here = fixture().floats(1);
        Stream stream = recordingStream();
        assumeFalse(fixture().device().recordsCopiesWith(fixture().other()), "it records copies between devices");
        stream.beginRecording();
        stream.combine(twice(here));
        String message = assertThrows(IllegalStateException.class, () -> stream.copy(there.all(), here.all()))
            .getMessage();
        assertTrue(message.contains(fixture().other().name()), message);
        Recording recording = fixture().keep(stream.endRecording());
        stream.replay(recording);
        stream.synchronize();
        assertArrayEquals(new float[] {2}, fixture().read(here));
    }

    @Test
    default void whatCannotBeRecordedIsRefusedAndTheRecordingGoesOn() {
        Stream stream = recordingStream();
        Buffer buffer = fixture().floats(1);
        MemorySegment host = fixture().host(3);
        Event event = fixture().event();
        stream.beginRecording();
        Recording empty = fixture().keep(stream.endRecording());
        stream.beginRecording();
        stream.combine(twice(buffer));
        assertThrows(IllegalStateException.class, stream::beginRecording);
        assertThrows(IllegalStateException.class, () -> stream.upload(host, buffer.all()));
        assertThrows(IllegalStateException.class, () -> stream.download(buffer.all(), host));
        assertThrows(IllegalStateException.class, () -> stream.record(event));
        assertThrows(IllegalStateException.class, () -> stream.await(event));
        assertThrows(IllegalStateException.class, () -> stream.replay(empty));
        assertThrows(IllegalStateException.class, stream::synchronize);
        Recording recording = fixture().keep(stream.endRecording());
        assertThrows(IllegalStateException.class, stream::endRecording);
        stream.replay(recording);
        stream.synchronize();
        assertArrayEquals(new float[] {2}, fixture().read(buffer));
    }

    @Test
    default void aStreamThatRecordsCanBeClosed() {
        Stream stream = recordingStream();
        stream.beginRecording();
        stream.combine(twice(fixture().floats(1)));
        stream.close();
        assertThrows(RuntimeException.class, stream::endRecording);
    }

    @Test
    default void recordingsAreLiveObjectsAndUselessWhenClosed() {
        Stream stream = recordingStream();
        Buffer buffer = fixture().floats(1);
        int before = fixture().device().liveObjects();
        stream.beginRecording();
        stream.combine(twice(buffer));
        Recording recording = stream.endRecording();
        assertEquals(before + 1, fixture().device().liveObjects());
        recording.close();
        recording.close();
        assertEquals(before, fixture().device().liveObjects());
        assertThrows(IllegalStateException.class, () -> stream.replay(recording));
        stream.synchronize();
        assertArrayEquals(new float[] {1}, fixture().read(buffer));
    }

    @Test
    default void aRecordingOfAnotherDeviceIsRefused() {
        Stream stream = recordingStream();
        stream.beginRecording();
        Recording recording = fixture().keep(stream.endRecording());
        Stream elsewhere = fixture().stream(fixture().other());
        assertThrows(IllegalArgumentException.class, () -> elsewhere.replay(recording));
        elsewhere.synchronize();
    }

    @Test
    default void aDeviceClosesRecordingsThatWereLeaked() {
        assumeTrue(fixture().device().replays(), "this device does not replay");
        Device device = openDevice();
        Stream stream = device.newStream("leaks");
        stream.beginRecording();
        stream.endRecording();
        device.close();
        assertEquals(0, device.liveObjects());
    }

    private Stream recordingStream() {
        assumeTrue(fixture().device().replays(), "this device does not replay");
        return fixture().stream();
    }

    private static Combination twice(Buffer buffer) {
        return new Combination(buffer.all(), List.of(buffer.all()), List.of(2f));
    }
}
