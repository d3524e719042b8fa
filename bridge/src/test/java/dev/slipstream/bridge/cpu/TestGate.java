package dev.slipstream.bridge.cpu;

import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.contract.DeviceFixture;
import java.util.concurrent.locks.LockSupport;

/** Lets a stream wait for progress that only a test makes, through an event that is put there. */
public final class TestGate implements DeviceFixture.Gate {
    private final Progress progress = new Progress();

    /** @param stream of a CPU device, not wrapped */
    public static TestGate block(Stream stream) {
        TestGate gate = new TestGate();
        try (CpuEvent event = (CpuEvent) stream.device().newEvent()) {
            event.put(gate.progress, new Outcome(), 1);
            stream.await(event);
        }
        return gate;
    }

    /** Returns once the thread of the stream stands at the gate, and not before it with the gate still in its queue. */
    void awaitArrival(Thread worker) {
        while (LockSupport.getBlocker(worker) != progress) {
            Thread.onSpinWait();
        }
    }

    @Override
    public void open() {
        progress.advance(1);
    }
}
