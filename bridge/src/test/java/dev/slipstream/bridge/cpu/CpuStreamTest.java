package dev.slipstream.bridge.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.contract.DeviceFixture.Gate;
import dev.slipstream.bridge.contract.DeviceFixture;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.Timeout;

/** What only this provider's streams have: a queue of known size, a thread, and host memory that can disappear. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class CpuStreamTest {
    private final DeviceFixture fixture =
        new DeviceFixture(new CpuProvider(), DeviceSpec.parse("cpu:1"), TestGate::block);

    @AfterEach
    @Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
    void close() throws Exception {
        fixture.close();
    }

    @Test
    void theCallerSleepsWhileTheQueueIsFull() throws InterruptedException {
        Stream stream = fixture.stream();
        Buffer counter = fixture.floats(0);
        Combination increment = new Combination(
            counter.all(), List.of(counter.all(), fixture.floats(1).all()), List.of(1f, 1f));
        Gate gate = fixture.block(stream);
        for (int i = 1; i < CommandQueue.CAPACITY; i++) { // the gate is the first command
            stream.combine(increment);
        }
        Thread caller = Thread.ofPlatform().daemon().start(() -> stream.combine(increment));
        while (caller.getState() != Thread.State.WAITING) {
            assertTrue(caller.isAlive(), "there was room for one more command than there are slots");
            Thread.onSpinWait();
        }
        gate.open();
        caller.join();
        stream.synchronize();
        assertArrayEquals(new float[] {CommandQueue.CAPACITY}, fixture.read(counter));
    }

    @Test
    void theWorkerHasTheStreamsNameAndEndsWithIt() {
        Stream stream = fixture.device().newStream("a stream of its own name");
        Thread worker = Thread.getAllStackTraces().keySet().stream()
            .filter(thread -> thread.getName().equals("a stream of its own name")).findFirst().orElseThrow();
        assertTrue(worker.isDaemon());
        stream.close();
        assertFalse(worker.isAlive());
    }

    @Test
    void hostMemoryThatIsClosedTooEarlyIsAFailureAndNoCrash() {
        Stream stream = fixture.stream();
        Buffer buffer = fixture.floats(1);
        Gate gate = fixture.block(stream);
        try (Arena arena = Arena.ofShared()) {
            stream.upload(arena.allocate(4), buffer.all());
        }
        gate.open();
        String message = assertThrows(DeviceException.class, stream::synchronize).getMessage();
        assertEquals("cpu:0 (stream stream0): copying 4 bytes failed: Already closed", message);
        assertArrayEquals(new float[] {1}, fixture.read(buffer));
    }

    @Test
    void aBufferClosedTooEarlyIsAFailureAndNoCrash() {
        Stream stream = fixture.stream();
        Buffer target = fixture.floats(1);
        Buffer source = fixture.floats(2);
        Gate gate = fixture.block(stream);
        stream.combine(new Combination(target.all(), List.of(source.all()), List.of(1f)));
        source.close();
        gate.open();
        String message = assertThrows(DeviceException.class, stream::synchronize).getMessage();
        assertTrue(message.contains("combining 1 tensors of 4 bytes failed"), message);
        assertArrayEquals(new float[] {1}, fixture.read(target));
    }

    @Test
    void aStreamThatWaitsIsNotBusy() throws InterruptedException {
        Stream stream = fixture.stream();
        try (Event begin = fixture.device().newTimedEvent(); Event end = fixture.device().newTimedEvent()) {
            stream.record(begin);
            Gate gate = fixture.block(stream);
            stream.record(end);
            assertTrue(begin.await(Duration.ofSeconds(30)));
            Thread.sleep(100);
            gate.open();
            stream.synchronize();
            long passed = end.nanos() - begin.nanos();
            long busy = end.busyNanos() - begin.busyNanos();
            assertTrue(passed >= TimeUnit.MILLISECONDS.toNanos(100) && busy < passed / 2, busy + " of " + passed);
        }
    }

    @Test
    void finishedCommandsKeepNothingAlive() {
        CommandQueue queue = new CommandQueue();
        Command command = queue.claim(Command.Operation.COPY);
        command.from = MemorySegment.ofArray(new float[1]);
        command.to = command.from;
        queue.publish();
        Command taken = queue.take();
        queue.finish(taken);
        assertEquals(null, taken.from);
        assertEquals(null, taken.to);
    }
}
