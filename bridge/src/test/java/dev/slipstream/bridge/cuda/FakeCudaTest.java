package dev.slipstream.bridge.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FakeCudaTest {
    private static final int NOT_READY = 600;
    private static final int LAUNCH_FAILED = 719;
    private static final int OUT_OF_MEMORY = 2;

    private FakeCuda fake;

    @BeforeEach
    void reset() {
        fake = FakeCuda.orSkip();
        fake.reset(1, 1 << 20);
    }

    @AfterEach
    void nothingStaysAlive() {
        assertEquals("", fake.liveReport());
        assertEquals(0, fake.liveHandles());
    }

    @Test
    void itsOwnTestInCPasses() throws IOException, InterruptedException {
        Process process = new ProcessBuilder(FakeCudaBuild.find().selfTest().toString())
            .redirectErrorStream(true).start();
        String messages = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), messages);
    }

    @Test
    void aStreamWorksInOrder() {
        try (FakeCudaSession session = new FakeCudaSession(fake)) {
            List<Integer> order = Collections.synchronizedList(new ArrayList<>());
            List<Integer> numbers = IntStream.range(0, 100).boxed().toList();
            numbers.forEach(number -> session.launch(session.stream(), () -> order.add(number)));
            session.ok("cuStreamSynchronize", session.stream());
            assertEquals(numbers, order);
        }
    }

    @Test
    void streamsWorkAtTheSameTime() {
        try (FakeCudaSession session = new FakeCudaSession(fake)) {
            CountDownLatch first = new CountDownLatch(1);
            CountDownLatch second = new CountDownLatch(1);
            session.launch(session.stream(), () -> {
                first.countDown();
                await(second);
            });
            session.launch(session.newStream(), () -> {
                await(first);
                second.countDown();
            });
            session.ok("cuStreamSynchronize", session.stream());
        }
    }

    @Test
    void aStreamWaitsForTheEventOfAnother() {
        try (FakeCudaSession session = new FakeCudaSession(fake)) {
            CountDownLatch gate = new CountDownLatch(1);
            List<String> order = Collections.synchronizedList(new ArrayList<>());
            MemorySegment other = session.newStream();
            MemorySegment event = session.newEvent();
            session.launch(session.stream(), () -> await(gate));
            session.launch(session.stream(), () -> order.add("recorded"));
            session.ok("cuEventRecord", event, session.stream());
            session.ok("cuStreamWaitEvent", other, event, 0);
            session.launch(other, () -> order.add("waited"));
            assertEquals(NOT_READY, session.code("cuEventQuery", event));
            gate.countDown();
            session.ok("cuStreamSynchronize", other);
            session.ok("cuEventQuery", event);
            assertEquals(List.of("recorded", "waited"), order);
        }
    }

    @Test
    void aCapturedGraphReplays() {
        try (FakeCudaSession session = new FakeCudaSession(fake)) {
            List<String> runs = Collections.synchronizedList(new ArrayList<>());
            long memory = session.memory(4);
            session.ok("cuStreamBeginCapture_v2", session.stream(), 1);
            session.launch(session.stream(), () -> runs.add("run"));
            session.ok("cuMemsetD32Async", memory, 42, 1L, session.stream());
            MemorySegment graph = session.made("cuStreamEndCapture", session.stream(), session.out());
            session.freeLater("cuGraphDestroy", graph);
            MemorySegment exec = session.made("cuGraphInstantiateWithFlags", session.out(), graph, 0L);
            session.freeLater("cuGraphExecDestroy", exec);
            session.ok("cuStreamSynchronize", session.stream());
            assertEquals(List.of(), runs);
            session.ok("cuGraphLaunch", exec, session.stream());
            session.ok("cuGraphLaunch", exec, session.stream());
            assertEquals(42, session.download(memory, 4).get(ValueLayout.JAVA_INT, 0));
            assertEquals(List.of("run", "run"), runs);
        }
    }

    @Test
    void theNthCallFails() {
        try (FakeCudaSession session = new FakeCudaSession(fake)) {
            long before = fake.calls();
            fake.failCall(2, OUT_OF_MEMORY);
            session.ok("cuStreamQuery", session.stream());
            assertEquals("", fake.lastFailed());
            assertEquals(OUT_OF_MEMORY, session.code("cuStreamSynchronize", session.stream()));
            assertEquals("cuStreamSynchronize", fake.lastFailed());
            session.ok("cuStreamSynchronize", session.stream());
            assertEquals(before + 3, fake.calls());
        }
    }

    @Test
    void aLostDeviceFailsEachCallUntilTheProcessEnds() {
        FakeCudaSession session = new FakeCudaSession(fake);
        CountDownLatch gate = new CountDownLatch(1);
        session.launch(session.stream(), () -> await(gate));
        session.launch(session.stream(), () -> {
            throw new AssertionError("work of a lost device runs");
        });
        fake.loseDevice(0);
        assertEquals(LAUNCH_FAILED, session.code("cuStreamSynchronize", session.stream()));
        assertEquals(LAUNCH_FAILED, session.code("cuEventCreate", session.out(), 0));
        assertEquals(LAUNCH_FAILED, session.code("cuStreamDestroy_v2", session.stream()));
        gate.countDown();
        session.ok("cuDevicePrimaryCtxRelease_v2", 0);
        assertEquals(LAUNCH_FAILED, session.code("cuDevicePrimaryCtxRetain", session.out(), 0));
        assertTrue(fake.liveReport().startsWith("pool"), fake.liveReport());
        fake.reset(1, 1 << 20);
        new FakeCudaSession(fake).close();
    }

    @Test
    void theDriverCanBeOldOrWithoutDevices() {
        fake.driverVersion(11080);
        try (FakeCudaSession session = new FakeCudaSession(fake)) {
            session.ok("cuDriverGetVersion", session.out());
            assertEquals(11080, session.out().get(ValueLayout.JAVA_INT, 0));
        }
        fake.reset(0, 0);
        assertEquals(100, (int) fake.call(ValueLayout.JAVA_INT, "cuInit", 0));
        fake.reset(1, 0);
        fake.initResult(803);
        assertEquals(803, (int) fake.call(ValueLayout.JAVA_INT, "cuInit", 0));
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
