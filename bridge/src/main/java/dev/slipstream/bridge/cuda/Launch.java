package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.DeviceException;
import java.lang.foreign.MemorySegment;

/** A prepared run. */
public interface Launch {
    /**
     * Queues the run on a CUstream; returns at once and allocates nothing.
     *
     * @throws DeviceException if it was refused
     */
    void enqueue(MemorySegment stream);

    /**
     * Likewise, on a CUstream that is being captured.
     *
     * @throws DeviceException also if the engine needs a run outside of a capture first
     */
    default void capture(MemorySegment stream) {
        enqueue(stream);
    }
}
