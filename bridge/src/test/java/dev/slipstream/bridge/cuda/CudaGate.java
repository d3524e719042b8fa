package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.contract.DeviceFixture;
import dev.slipstream.bridge.cuda.driver.HostFunctions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;

/** Lets a stream wait for a test, in a host function. */
public final class CudaGate implements DeviceFixture.Gate {
    private static final Map<Long, CudaGate> CLOSED = new ConcurrentHashMap<>();
    private static final AtomicLong NUMBERS = new AtomicLong();
    private static final MemorySegment PASS = HostFunctions.stub(number -> CLOSED.get(number).pass(), Arena.global());

    private final CountDownLatch latch = new CountDownLatch(1);

    private CudaGate() {
    }

    public static CudaGate block(Stream stream) {
        CudaGate gate = new CudaGate();
        long number = NUMBERS.incrementAndGet();
        CLOSED.put(number, gate);
        CudaStream known = (CudaStream) stream;
        known.device().calls().callHost(PASS, number, known.handle());
        return gate;
    }

    private void pass() {
        try {
            latch.await();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void open() {
        latch.countDown();
    }
}
