package dev.slipstream.bridge.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.ExecutionContext.Bindings;
import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.contract.DeviceFixture;
import dev.slipstream.bridge.contract.TestModels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.Timeout;

/** Queueing allocates nothing, neither where it is queued nor where it is done. */
@Timeout(value = 120, threadMode = ThreadMode.SEPARATE_THREAD)
class AllocationTest {
    private static final int OPERATIONS = 10_000;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final DeviceFixture fixture =
        new DeviceFixture(new CpuProvider(), DeviceSpec.parse("cpu:1"), TestGate::block);

    @BeforeEach
    void measureAllocation() {
        assumeTrue(threads.isThreadAllocatedMemorySupported(), "this Java cannot measure allocation");
        threads.setThreadAllocatedMemoryEnabled(true);
    }

    @AfterEach
    void close() throws Exception {
        fixture.close();
    }

    @Test
    void queueingAndDoingAllocatesNothing() {
        Stream first = fixture.keep(fixture.device().newStream("allocation first"));
        Stream second = fixture.keep(fixture.device().newStream("allocation second"));
        Buffer buffer = fixture.buffer(fixture.device(), 256);
        Slice from = buffer.slice(0, 64);
        Slice to = buffer.slice(64, 64);
        Combination combination = new Combination(to, List.of(from, to), List.of(0.5f, 0.5f));
        MemorySegment host = Arena.ofAuto().allocate(64);
        Event there = fixture.event();
        Event back = fixture.event();
        Event timed = fixture.keep(fixture.device().newTimedEvent());
        Measured measured = measure(() -> {
            for (int i = 0; i < OPERATIONS; i++) {
                first.upload(host, from);
                first.combine(combination);
                first.record(there);
                second.await(there);
                second.copy(from, to);
                second.download(to, host);
                second.record(timed);
                second.record(back);
                first.await(back);
            }
        }, first, second);
        assertEquals(new Measured(0, 0), measured);
    }

    @Test
    void runningAnEngineAllocatesOnlyWhatOnnxRuntimesJavaInterfaceDoes() {
        Stream stream = fixture.keep(fixture.device().newStream("allocation run"));
        Bindings bindings = fixture.context(fixture.engine("affine", TestModels.affine(4))).bind(Map.of(
            "x", DeviceFixture.tensor(fixture.floats(1, 2, 3, 4), DataType.FLOAT32, 4),
            "y", DeviceFixture.tensor(fixture.floats(0, 0, 0, 0), DataType.FLOAT32, 4)));
        Measured measured = measure(() -> {
            for (int i = 0; i < OPERATIONS; i++) {
                stream.run(bindings);
            }
        }, stream);
        assertEquals(0, measured.caller);
        assertTrue(measured.workers / OPERATIONS < 600, "one run allocates " + measured.workers / OPERATIONS);
    }

    /** Bytes allocated by the thread that queues, and by the streams' workers. */
    private record Measured(long caller, long workers) {
    }

    private Measured measure(Runnable work, Stream... streams) {
        long[] workers = Thread.getAllStackTraces().keySet().stream()
            .filter(thread -> Arrays.stream(streams).anyMatch(each -> each.toString().endsWith(thread.getName())))
            .mapToLong(Thread::threadId).toArray();
        assertEquals(streams.length, workers.length, "worker threads");
        for (int i = 0; i < 5; i++) { // until everything is loaded, linked and compiled
            work.run();
            Arrays.stream(streams).forEach(Stream::synchronize);
        }
        long workersBefore = allocatedBy(workers);
        long before = threads.getCurrentThreadAllocatedBytes();
        work.run();
        long caller = threads.getCurrentThreadAllocatedBytes() - before;
        Arrays.stream(streams).forEach(Stream::synchronize);
        return new Measured(caller, allocatedBy(workers) - workersBefore);
    }

    private long allocatedBy(long[] threadIds) {
        return Arrays.stream(threadIds).map(threads::getThreadAllocatedBytes).sum();
    }
}
