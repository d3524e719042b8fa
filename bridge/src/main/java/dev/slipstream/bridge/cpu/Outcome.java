package dev.slipstream.bridge.cpu;

import dev.slipstream.bridge.DeviceException;

/**
 * How the work of a stream went: well, or the first failure and where in the queue it was. A stream gets a new outcome
 * when its failure is cleared; events that were recorded earlier keep the old one.
 */
final class Outcome {
    // The worker writes the position before the failure, and others read them in the opposite order.
    private volatile DeviceException failure;
    private long failedAt;

    /** Notes the failure of the command at a position. Only the stream's worker calls it, once. */
    void fail(long position, DeviceException why) {
        failedAt = position;
        failure = why;
    }

    boolean isFailed() {
        return failure != null;
    }

    /** The failure, or null. */
    DeviceException failure() {
        return failure;
    }

    /** The failure of work that lies before a position in the queue, or null. */
    DeviceException failureBefore(long position) {
        DeviceException found = failure;
        return found != null && failedAt < position ? found : null;
    }
}
