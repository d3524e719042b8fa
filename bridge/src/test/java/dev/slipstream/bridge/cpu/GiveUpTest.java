package dev.slipstream.bridge.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceLostException;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.ExecutionContext;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.contract.DeviceFixture;
import dev.slipstream.bridge.contract.TestModels;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.Timeout;

/** What becomes of the threads and the memory of a device that was given up. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class GiveUpTest {
    private final Device device = new CpuProvider().open(DeviceSpec.parse("cpu:1"));

    @Test
    void memoryIsFreedWhenTheLastWorkerHasEndedAndNotBefore() throws InterruptedException {
        Stream stuck = device.newStream("stuck and given up");
        Thread worker = thread("stuck and given up");
        CpuBuffer buffer = (CpuBuffer) device.allocate(4);
        TestGate gate = TestGate.block(stuck);
        gate.awaitArrival(worker);
        device.giveUp("the test says so");
        buffer.close();
        device.close();
        assertEquals(0, device.liveObjects());
        assertTrue(worker.isAlive() && worker.isDaemon());
        assertTrue(buffer.segment().scope().isAlive(), "a worker may still write to it");
        gate.open();
        worker.join();
        assertFalse(buffer.segment().scope().isAlive(), "nothing writes to it any more");
    }

    @Test
    void anEngineMayRunOnWhileAllItUsesIsClosed() throws InterruptedException {
        int size = 256;
        Stream stream = device.newStream("busy and given up");
        Thread worker = thread("busy and given up");
        Engine engine = device.build(EngineSource.of("slow", TestModels.slow(size, 20)));
        ExecutionContext context = engine.newContext();
        Buffer x = device.allocate(4L * size * size);
        Buffer y = device.allocate(4L * size * size);
        stream.run(context.bind(Map.of("x", DeviceFixture.tensor(x, DataType.FLOAT32, size, size),
            "y", DeviceFixture.tensor(y, DataType.FLOAT32, size, size))));
        device.giveUp("the test says so");
        stream.close();
        context.close();
        engine.close();
        x.close();
        y.close();
        device.close();
        worker.join();
        assertFalse(((CpuBuffer) y).segment().scope().isAlive());
    }

    @Test
    void whatWasQueuedBehindTheStuckWorkIsNeverDone() throws InterruptedException {
        Stream stuck = device.newStream("stuck with more");
        Thread worker = thread("stuck with more");
        try (Device other = new CpuProvider().open(DeviceSpec.parse("cpu:1")); Buffer there = other.allocate(4);
                Stream reader = other.newStream("reader")) {
            Buffer here = device.allocate(4);
            float[] seven = {7};
            reader.upload(MemorySegment.ofArray(seven), there.all());
            reader.synchronize();
            TestGate gate = TestGate.block(stuck);
            stuck.combine(new Combination(here.all(), List.of(here.all()), List.of(1f)));
            stuck.copy(here.all(), there.all());
            device.giveUp("the test says so");
            gate.open();
            worker.join();
            float[] read = new float[1];
            reader.download(there.all(), MemorySegment.ofArray(read));
            reader.synchronize();
            assertEquals(7, read[0]);
            device.close();
        }
    }

    @Test
    void aCallerWhoFoundTheQueueFullIsWoken() {
        Stream stream = device.newStream("full");
        Buffer counter = device.allocate(4);
        Combination same = new Combination(counter.all(), List.of(counter.all()), List.of(1f));
        TestGate.block(stream);
        for (int i = 1; i < CommandQueue.CAPACITY; i++) { // the gate is the first command
            stream.combine(same);
        }
        CompletableFuture<Void> caller = new CompletableFuture<>();
        Thread thread = Thread.ofPlatform().daemon().start(() -> {
            try {
                stream.combine(same);
                caller.complete(null);
            } catch (DeviceLostException woken) {
                caller.completeExceptionally(woken);
            }
        });
        while (thread.getState() != Thread.State.WAITING) {
            assertTrue(thread.isAlive(), "there was room for one more command than there are slots");
            Thread.onSpinWait();
        }
        device.giveUp("the test says so");
        assertThrows(CompletionException.class, caller::join);
        device.close();
    }

    private static Thread thread(String name) {
        return Thread.getAllStackTraces().keySet().stream().filter(thread -> thread.getName().equals(name)).findFirst()
            .orElseThrow();
    }
}
