package dev.slipstream.bridge.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.contract.DeviceFixture.Gate;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a failure does to a stream, to events, and to other streams. */
public interface FailureContract {
    DeviceFixture fixture();

    @Test
    default void synchronizeThrowsTheFailureAndClearsIt() {
        Stream stream = fixture().stream();
        Buffer buffer = fixture().floats(1);
        fixture().queueFailure(stream);
        String message = assertThrows(DeviceException.class, stream::synchronize).getMessage();
        assertTrue(message.contains(fixture().device().name()), message);
        assertTrue(message.contains("bad/pick"), message);
        assertFalse(message.contains("\n"), message);
        stream.synchronize();
        stream.upload(fixture().host(2), buffer.all());
        stream.synchronize();
        assertArrayEquals(new float[] {2}, fixture().read(buffer));
    }

    @Test
    default void workAfterAFailureIsSkippedAndWorkBeforeItIsDone() {
        Stream stream = fixture().stream();
        Buffer buffer = fixture().floats(1, 1);
        stream.upload(fixture().host(2), buffer.slice(0, 4));
        fixture().queueFailure(stream);
        stream.upload(fixture().host(2), buffer.slice(4, 4));
        stream.combine(new Combination(buffer.all(), List.of(buffer.all()), List.of(100f)));
        stream.copy(buffer.slice(0, 4), buffer.slice(4, 4));
        assertThrows(DeviceException.class, stream::synchronize);
        assertArrayEquals(new float[] {2, 1}, fixture().read(buffer));
    }

    @Test
    default void eventsBeforeAFailureAreDoneAndThoseAfterItFail() {
        Stream stream = fixture().stream();
        Event before = fixture().event();
        Event after = fixture().event();
        Event timed = fixture().keep(fixture().device().newTimedEvent());
        stream.record(before);
        Gate gate = fixture().block(stream);
        fixture().queueFailure(stream);
        stream.record(after);
        stream.record(timed);
        assertFalse(after.isDone());
        gate.open();
        DeviceException first = assertThrows(DeviceException.class, () -> after.await(Duration.ofSeconds(30)));
        assertTrue(first.getMessage().contains("bad/pick"), first.getMessage());
        DeviceException second = assertThrows(DeviceException.class, after::isDone);
        assertNotSame(first, second, "an exception that is thrown twice could be asked to suppress itself");
        assertThrows(DeviceException.class, () -> timed.await(Duration.ofSeconds(30)));
        assertThrows(DeviceException.class, timed::nanos);
        assertTrue(before.isDone());
        assertThrows(DeviceException.class, stream::synchronize);
        assertThrows(DeviceException.class, after::isDone, "clearing the stream does not undo what happened");
        stream.record(after);
        assertTrue(after.await(Duration.ofSeconds(30)));
    }

    @Test
    default void streamsThatWaitForAFailureArePoisonedToo() {
        Stream first = fixture().stream(fixture().device());
        Stream second = fixture().stream(fixture().other());
        Stream third = fixture().stream(fixture().device());
        Stream bystander = fixture().stream(fixture().other());
        Buffer buffer = fixture().floats(fixture().device(), 1);
        Event one = fixture().event();
        Event two = fixture().event();
        fixture().queueFailure(first);
        first.record(one);
        second.await(one);
        second.record(two);
        third.await(two);
        third.upload(fixture().host(2), buffer.all());
        String message = assertThrows(DeviceException.class, third::synchronize).getMessage();
        assertTrue(message.contains("bad/pick") && message.contains(fixture().device().name()), message);
        assertThrows(DeviceException.class, second::synchronize);
        assertThrows(DeviceException.class, first::synchronize);
        bystander.synchronize();
        assertArrayEquals(new float[] {1}, fixture().read(buffer));
    }

    @Test
    default void waitingForWorkBeforeTheFailureIsFine() {
        Stream first = fixture().stream();
        Stream second = fixture().stream();
        Event before = fixture().event();
        first.record(before);
        fixture().queueFailure(first);
        assertThrows(DeviceException.class, first::synchronize);
        second.await(before);
        second.synchronize();
    }

    @Test
    default void anEventThatFailedPoisonsWhoeverWaitsForItLater() {
        Stream first = fixture().stream();
        Stream second = fixture().stream();
        Event failed = fixture().event();
        fixture().queueFailure(first);
        first.record(failed);
        assertThrows(DeviceException.class, first::synchronize);
        second.await(failed);
        assertThrows(DeviceException.class, second::synchronize);
        first.await(failed);
        assertThrows(DeviceException.class, first::synchronize);
    }

    @Test
    default void theFirstOfTwoFailuresIsThrown() {
        Stream first = fixture().stream();
        Stream second = fixture().stream();
        Event event = fixture().event();
        fixture().queueFailure(first);
        first.record(event);
        fixture().queueFailure(second);
        second.await(event);
        DeviceException failure = assertThrows(DeviceException.class, second::synchronize);
        assertTrue(failure.getMessage().contains("running bad/pick"), failure.getMessage());
        second.synchronize();
        assertThrows(DeviceException.class, first::synchronize);
    }

    @Test
    default void oneFailureIsClearedFromItsStreamAlone() {
        Stream one = fixture().stream();
        Stream two = fixture().stream();
        fixture().queueFailure(one);
        fixture().queueFailure(two);
        assertThrows(DeviceException.class, one::synchronize);
        one.synchronize();
        assertThrows(DeviceException.class, two::synchronize);
    }

    @Test
    default void aPoisonedStreamStillTakesAnyAmountOfWorkAndCloses() {
        Stream stream = fixture().stream();
        Buffer buffer = fixture().floats(1);
        MemorySegment two = fixture().host(2);
        fixture().queueFailure(stream);
        for (int i = 0; i < 10_000; i++) {
            stream.upload(two, buffer.all());
        }
        stream.close();
        assertArrayEquals(new float[] {1}, fixture().read(buffer));
    }
}
