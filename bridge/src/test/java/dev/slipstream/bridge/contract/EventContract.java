package dev.slipstream.bridge.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.contract.DeviceFixture.Gate;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.junit.jupiter.api.Test;

/** Events: order between streams and devices, and what the host can see. */
public interface EventContract {
    /** Long enough for a wait to begin, short enough not to be noticed. */
    Duration MOMENT = Duration.ofMillis(5);

    DeviceFixture fixture();

    @Test
    default void anEventThatWasNeverRecordedIsDoneAndHoldsNobodyBack() {
        Event event = fixture().event();
        assertTrue(event.isDone());
        assertTrue(event.await(Duration.ZERO));
        Stream stream = fixture().stream();
        stream.await(event);
        stream.synchronize();
    }

    @Test
    default void anEventIsDoneOnceItsStreamHasPassedIt() {
        Stream stream = fixture().stream();
        Event before = fixture().event();
        Event after = fixture().event();
        stream.record(before);
        Gate gate = fixture().block(stream);
        stream.record(after);
        assertTrue(before.await(Duration.ofSeconds(30)));
        assertFalse(after.isDone());
        assertFalse(after.await(Duration.ZERO));
        assertFalse(after.await(Duration.ofSeconds(-1)));
        assertFalse(after.await(MOMENT));
        gate.open();
        assertTrue(after.await(Duration.ofSeconds(Long.MAX_VALUE)));
        assertTrue(after.isDone());
    }

    @Test
    default void anyThreadMayWaitForAnEvent() {
        Stream stream = fixture().stream();
        Gate gate = fixture().block(stream);
        Event event = fixture().event();
        stream.record(event);
        Executor threads = task -> Thread.ofPlatform().start(task);
        List<CompletableFuture<Boolean>> waiters = List.of(
            CompletableFuture.supplyAsync(() -> event.await(Duration.ofSeconds(30)), threads),
            CompletableFuture.supplyAsync(() -> event.await(Duration.ofSeconds(30)), threads),
            CompletableFuture.supplyAsync(() -> event.await(MOMENT), threads));
        assertFalse(waiters.get(2).join());
        gate.open();
        assertTrue(waiters.get(0).join());
        assertTrue(waiters.get(1).join());
    }

    @Test
    default void aStreamWaitsForAnotherDevicesStream() {
        Buffer here = fixture().floats(fixture().device(), 1);
        Buffer there = fixture().floats(fixture().other(), 0);
        Stream producer = fixture().stream(fixture().device());
        Stream consumer = fixture().stream(fixture().other());
        Gate gate = fixture().block(producer);
        producer.upload(fixture().host(42), here.all());
        Event produced = fixture().event();
        producer.record(produced);
        consumer.await(produced);
        consumer.copy(here.all(), there.all());
        Event consumed = fixture().keep(fixture().other().newEvent());
        consumer.record(consumed);
        assertFalse(consumed.await(MOMENT));
        gate.open();
        consumer.synchronize();
        assertTrue(consumed.isDone());
        assertArrayEquals(new float[] {42}, fixture().read(there));
    }

    @Test
    default void streamsThatAreNotOrderedDoNotWaitForEachOther() {
        Stream blocked = fixture().stream();
        fixture().block(blocked);
        Stream free = fixture().stream();
        Buffer buffer = fixture().floats(1);
        free.upload(fixture().host(2), buffer.all());
        free.synchronize();
        assertArrayEquals(new float[] {2}, fixture().read(buffer));
    }

    @Test
    default void aWaitMeansTheLatestRecordBeforeIt() {
        Stream slow = fixture().stream();
        Stream quick = fixture().stream();
        Stream waiting = fixture().stream();
        Event event = fixture().event();
        Event passed = fixture().event();
        Gate gate = fixture().block(slow);
        slow.record(event);
        waiting.await(event);
        waiting.record(passed);
        quick.record(event);
        assertTrue(event.await(Duration.ofSeconds(30)), "the event is where it was put last");
        assertFalse(passed.await(MOMENT), "the wait is for where the event was when the wait was queued");
        gate.open();
        assertTrue(passed.await(Duration.ofSeconds(30)));
    }

    @Test
    default void anEventCanBeRecordedAgainAndAgain() {
        Stream one = fixture().stream();
        Stream two = fixture().stream(fixture().other());
        Buffer counter = fixture().floats(fixture().device(), 0);
        Buffer copy = fixture().floats(fixture().other(), 0);
        Buffer unit = fixture().floats(fixture().device(), 1);
        Event ready = fixture().event();
        Event taken = fixture().keep(fixture().other().newEvent());
        Combination increment = new Combination(counter.all(), List.of(counter.all(), unit.all()), List.of(1f, 1f));
        for (int i = 0; i < 500; i++) {
            one.await(taken);
            one.combine(increment);
            one.record(ready);
            two.await(ready);
            two.copy(counter.all(), copy.all());
            two.record(taken);
        }
        two.synchronize();
        assertArrayEquals(new float[] {500}, fixture().read(copy));
    }

    @Test
    default void timedEventsMeasureTheWorkBetweenThem() {
        Stream stream = fixture().stream();
        Event start = fixture().keep(fixture().device().newTimedEvent());
        Event end = fixture().keep(fixture().device().newTimedEvent());
        Buffer big = fixture().buffer(fixture().device(), 8 << 20);
        Buffer bigger = fixture().buffer(fixture().device(), 8 << 20);
        stream.record(start);
        for (int i = 0; i < 20; i++) {
            stream.copy(big.all(), bigger.all());
        }
        stream.record(end);
        stream.synchronize();
        assertTrue(end.nanos() > start.nanos());
        assertTrue(end.busyNanos() > start.busyNanos());
    }

    @Test
    default void theTimeIsThatOfTheLatestRecord() {
        Stream slow = fixture().stream();
        Stream quick = fixture().stream();
        Event event = fixture().keep(fixture().device().newTimedEvent());
        Gate gate = fixture().block(slow);
        slow.record(event);
        quick.record(event);
        quick.synchronize();
        long latest = event.nanos();
        gate.open();
        slow.synchronize();
        assertTrue(event.nanos() == latest, "an older record must not overwrite the time of a newer one");
    }

    @Test
    default void onlyTimedEventsThatWerePassedHaveATime() {
        Stream stream = fixture().stream();
        Event plain = fixture().event();
        Event timed = fixture().keep(fixture().device().newTimedEvent());
        stream.record(plain);
        stream.synchronize();
        assertThrows(IllegalStateException.class, plain::nanos);
        assertThrows(IllegalStateException.class, plain::busyNanos);
        assertThrows(IllegalStateException.class, timed::nanos);
        Gate gate = fixture().block(stream);
        stream.record(timed);
        assertThrows(IllegalStateException.class, timed::nanos);
        assertThrows(IllegalStateException.class, timed::busyNanos);
        gate.open();
    }
}
