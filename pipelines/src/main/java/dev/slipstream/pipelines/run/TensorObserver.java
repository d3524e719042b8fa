package dev.slipstream.pipelines.run;

import java.lang.foreign.MemorySegment;
import java.util.Map;

/**
 * Looks at tensors between segments while a loop runs, for measuring. The loop waits for each segment that reads or
 * makes one of them, so it is slow. Called on the thread that drives the loop.
 */
public interface TensorObserver {
    /** Whether it looks at a tensor of this name. */
    boolean wants(String tensor);

    /**
     * A segment has run.
     *
     * @param step from 0
     * @param read of what it read, those that are wanted; {@code made} likewise. Valid during the call
     */
    void ran(int step, Map<String, MemorySegment> read, Map<String, MemorySegment> made);
}
