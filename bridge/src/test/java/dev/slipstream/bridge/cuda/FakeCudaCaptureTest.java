package dev.slipstream.bridge.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.CapturedGraph;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.contract.DeviceFixture.Gate;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Graphs beside what other threads and other GPUs do, on the stand-in for the driver, which notes every misuse. */
class FakeCudaCaptureTest {
    /**
     * A thread frees memory just when another one has called the driver to begin, or to end, a capture: the event on
     * which the free waits must not get into the graph.
     */
    @ParameterizedTest
    @ValueSource(strings = {"cuStreamBeginCapture_v2", "cuStreamEndCapture", "cuEventRecord"})
    void aFreeWhileACaptureBeginsOrEndsDoesNotSpoilIt(String call) {
        try (FakeGpus gpus = FakeGpus.orSkip(1); Arena arena = Arena.ofShared()) {
            Device device = gpus.open(1).getFirst();
            Stream stream = device.newStream("captures");
            Buffer captured = device.allocate(4);
            Buffer freed = device.allocate(4);
            stream.upload(MemorySegment.ofArray(new float[] {1}), captured.all());
            AtomicReference<Throwable> failure = new AtomicReference<>();
            Thread other = Thread.ofPlatform().uncaughtExceptionHandler((thread, thrown) -> failure.set(thrown))
                .unstarted(freed::close);
            gpus.driver().afterCall(call, stub(() -> startAndLetItGoAsFarAsItCan(other), arena));
            stream.beginCapture();
            stream.combine(twice(captured));
            CapturedGraph graph = stream.endCapture();
            join(other);
            assertEquals(null, failure.get());
            stream.launch(graph);
            assertArrayEquals(new float[] {2}, read(stream, captured));
            List.of(graph, captured).forEach(FakeCudaCaptureTest::close);
            stream.close();
            device.close();
        }
    }

    /** A free while a stream captures waits for the work that was queued before, which the stand-in watches. */
    @Test
    void aFreeDuringACaptureWaitsForTheWorkThatWasQueuedBefore() {
        try (FakeGpus gpus = FakeGpus.orSkip(1)) {
            Device device = gpus.open(1).getFirst();
            Stream stream = device.newStream("captures");
            Buffer kept = device.allocate(4);
            Buffer freed = device.allocate(4);
            stream.upload(MemorySegment.ofArray(new float[] {3}), freed.all());
            stream.synchronize();
            Gate gate = CudaGate.block(stream);
            stream.copy(freed.all(), kept.all());
            stream.beginCapture();
            freed.close();
            stream.combine(twice(kept));
            CapturedGraph graph = stream.endCapture();
            gate.open();
            stream.launch(graph);
            assertArrayEquals(new float[] {6}, read(stream, kept));
            graph.close();
            kept.close();
            stream.close();
            device.close();
        }
    }

    /** A thread frees memory just when another one has destroyed a stream that the first has seen open. */
    @Test
    void aFreeWhileAStreamIsClosedDoesNotUseTheStream() {
        try (FakeGpus gpus = FakeGpus.orSkip(1); Arena arena = Arena.ofShared()) {
            Device device = gpus.open(1).getFirst();
            Stream first = device.newStream("first");
            Stream second = device.newStream("second");
            Buffer freed = device.allocate(4);
            Thread other = Thread.ofPlatform().unstarted(second::close);
            // The free has recorded its event on the first stream, and comes to the second next.
            gpus.driver().afterCall("cuEventRecord", stub(() -> {
                other.start();
                join(other);
            }, arena));
            freed.close();
            first.close();
            device.close();
        }
    }

    @Test
    void copiesBetweenGpusAreCapturedWhereTheDriverTakesThem() {
        try (FakeGpus gpus = FakeGpus.capturingPeerCopies(2)) {
            gpus.driver().capturePeerCopies();
            List<Device> devices = gpus.open(2);
            Stream stream = devices.getFirst().newStream("captures");
            Buffer here = devices.getFirst().allocate(4);
            Buffer there = devices.getLast().allocate(4);
            stream.upload(MemorySegment.ofArray(new float[] {42}), here.all());
            stream.beginCapture();
            stream.copy(here.all(), there.all());
            stream.combine(twice(here));
            stream.copy(there.all(), here.all());
            CapturedGraph graph = stream.endCapture();
            stream.launch(graph);
            assertArrayEquals(new float[] {42}, read(stream, here));
            List.of(graph, stream, here, there).forEach(FakeCudaCaptureTest::close);
            devices.reversed().forEach(Device::close);
        }
    }

    @Test
    void aCaptureThatTheDriverRefusesLeavesTheStreamAsItWas() {
        try (FakeGpus gpus = FakeGpus.capturingPeerCopies(2)) {
            List<Device> devices = gpus.open(2);
            Stream stream = devices.getFirst().newStream("captures");
            Buffer here = devices.getFirst().allocate(4);
            Buffer there = devices.getLast().allocate(4);
            stream.upload(MemorySegment.ofArray(new float[] {42}), here.all());
            stream.beginCapture();
            stream.combine(twice(here));
            stream.copy(here.all(), there.all());
            String message = assertThrows(DeviceException.class, stream::endCapture).getMessage();
            assertTrue(message.contains("cuMemcpyPeerAsync") && message.contains("(900)"), message);
            stream.combine(twice(here));
            stream.copy(here.all(), there.all());
            assertArrayEquals(new float[] {84}, read(stream, here));
            List.of(stream, here, there).forEach(FakeCudaCaptureTest::close);
            devices.reversed().forEach(Device::close);
        }
    }

    private static Combination twice(Buffer buffer) {
        return new Combination(buffer.all(), List.of(buffer.all()), List.of(2f));
    }

    private static float[] read(Stream stream, Buffer buffer) {
        float[] values = new float[1];
        stream.download(buffer.all(), MemorySegment.ofArray(values));
        stream.synchronize();
        return values;
    }

    /** Until it is done, or waits for a lock that the caller holds. */
    private static void startAndLetItGoAsFarAsItCan(Thread thread) {
        thread.start();
        while (thread.isAlive() && thread.getState() != Thread.State.BLOCKED) {
            Thread.onSpinWait();
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException stopped) {
            throw new AssertionError(stopped);
        }
    }

    private static void close(AutoCloseable object) {
        try {
            object.close();
        } catch (Exception failure) {
            throw new AssertionError(failure);
        }
    }

    private static MemorySegment stub(Runnable work, Arena arena) {
        try {
            return Linker.nativeLinker().upcallStub(MethodHandles.lookup().findVirtual(Runnable.class, "run",
                MethodType.methodType(void.class)).bindTo(work), FunctionDescriptor.ofVoid(), arena);
        } catch (ReflectiveOperationException missing) {
            throw new IllegalStateException(missing);
        }
    }
}
