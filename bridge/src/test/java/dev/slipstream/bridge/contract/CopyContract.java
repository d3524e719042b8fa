package dev.slipstream.bridge.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.Stream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Copies, uploads and downloads. */
public interface CopyContract {
    DeviceFixture fixture();

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3, 64, 1_000_003})
    default void bytesComeBackAsTheyWereUploaded(int size) {
        byte[] sent = new byte[size];
        new Random(size).nextBytes(sent);
        byte[] received = new byte[size];
        Buffer first = fixture().buffer(fixture().device(), size);
        Buffer second = fixture().buffer(fixture().device(), size);
        Stream stream = fixture().stream();
        stream.upload(MemorySegment.ofArray(sent), first.all());
        stream.copy(first.all(), second.all());
        stream.download(second.all(), MemorySegment.ofArray(received));
        stream.synchronize();
        assertArrayEquals(sent, received);
    }

    @Test
    default void slicesAreCopiedFromAndToTheirOffsets() {
        Buffer from = fixture().floats(1, 2, 3, 4);
        Buffer to = fixture().floats(5, 6, 7, 8);
        Stream stream = fixture().stream();
        stream.copy(from.slice(4, 8), to.slice(8, 8));
        stream.upload(fixture().host(9), to.all().slice(4, 8).slice(0, 4));
        MemorySegment host = fixture().host(0, 0);
        stream.download(to.slice(0, 8), host);
        stream.synchronize();
        assertArrayEquals(new float[] {5, 9, 2, 3}, fixture().read(to));
        assertEquals(-1, host.mismatch(fixture().host(5, 9)));
    }

    @Test
    default void aStreamOfEitherDeviceCopiesBetweenTwo() {
        Buffer here = fixture().floats(fixture().device(), 1, 2);
        Buffer there = fixture().buffer(fixture().other(), 8);
        Buffer back = fixture().buffer(fixture().device(), 8);
        Stream push = fixture().stream(fixture().device());
        push.copy(here.all(), there.all());
        push.copy(there.all(), back.all());
        push.synchronize();
        assertArrayEquals(new float[] {1, 2}, fixture().read(back));
        assertArrayEquals(new float[] {1, 2}, fixture().read(there));
    }

    @Test
    default void aCopyThatDoesNotTouchTheStreamsDeviceIsRefused() {
        Buffer one = fixture().buffer(fixture().other(), 8);
        Buffer two = fixture().buffer(fixture().other(), 8);
        Stream stream = fixture().stream(fixture().device());
        assertThrows(IllegalArgumentException.class, () -> stream.copy(one.all(), two.all()));
        assertThrows(IllegalArgumentException.class, () -> stream.upload(fixture().host(1, 2), one.all()));
        assertThrows(IllegalArgumentException.class, () -> stream.download(one.all(), fixture().host(1, 2)));
    }

    @Test
    default void differentSizesAreRefusedWithBothNumbers() {
        Buffer four = fixture().floats(1);
        Buffer eight = fixture().floats(1, 2);
        Stream stream = fixture().stream();
        String message = assertThrows(IllegalArgumentException.class, () -> stream.copy(four.all(), eight.all()))
            .getMessage();
        assertTrue(message.contains("4 bytes") && message.contains("8 bytes"), message);
        assertThrows(IllegalArgumentException.class, () -> stream.upload(fixture().host(1), eight.all()));
        assertThrows(IllegalArgumentException.class, () -> stream.download(four.all(), fixture().host(1, 2)));
    }

    @Test
    default void hostMemoryMustBeReachableAliveAndWritable() {
        Buffer buffer = fixture().floats(1);
        Stream stream = fixture().stream();
        try (Arena confined = Arena.ofConfined()) {
            MemorySegment ours = confined.allocate(4);
            assertThrows(IllegalArgumentException.class, () -> stream.upload(ours, buffer.all()));
            assertThrows(IllegalArgumentException.class, () -> stream.download(buffer.all(), ours));
        }
        MemorySegment readOnly = fixture().host(1).asReadOnly();
        assertThrows(IllegalArgumentException.class, () -> stream.download(buffer.all(), readOnly));
        Arena arena = Arena.ofShared();
        MemorySegment gone = arena.allocate(4);
        arena.close();
        assertThrows(IllegalStateException.class, () -> stream.upload(gone, buffer.all()));
    }

    @Test
    default void workOfOneStreamIsDoneInOrder() {
        Buffer buffer = fixture().floats(0);
        Buffer one = fixture().floats(1);
        Stream stream = fixture().stream();
        for (int i = 0; i < 200; i++) {
            stream.combine(new Combination(buffer.all(), List.of(buffer.all(), one.all()),
                List.of(i % 2 == 0 ? 1f : 2f, 1f)));
            if (i == 20) {
                stream.upload(fixture().host(0), buffer.all());
            }
        }
        float expected = 0;
        for (int i = 21; i < 200; i++) {
            expected = expected * (i % 2 == 0 ? 1 : 2) + 1;
        }
        stream.synchronize();
        assertArrayEquals(new float[] {expected}, fixture().read(buffer));
    }
}
