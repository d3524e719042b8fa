package dev.slipstream.bridge;

import java.time.Duration;

/**
 * A point in a stream. {@link Stream#record} puts it there; it may be put elsewhere again later, and each wait means
 * the latest {@code record} that was called before it. An event that was never recorded counts as done.
 *
 * <p>Any thread may ask or wait.
 */
public interface Event extends AutoCloseable {
    /**
     * Whether the stream has passed the point. @throws DeviceException if the work before it failed
     */
    boolean isDone();

    /**
     * Blocks the calling thread until the stream has passed the point, or the time is over.
     *
     * @return whether the point was passed
     * @throws DeviceException if the work before it failed
     */
    boolean await(Duration timeout);

    /**
     * When the stream passed the point where the event was put last, in nanoseconds of a clock that all streams of one
     * provider share; only differences mean something. Only for events of {@link Device#newTimedEvent}, when done.
     *
     * @throws IllegalStateException if the event has no time, or none yet
     */
    long nanos();

    /**
     * Processing time that the stream had spent when it passed the point, in nanoseconds: on a CPU the CPU time of its
     * worker thread, which other load on the machine does not change; on a GPU the same as {@link #nanos}. Only for
     * events of {@link Device#newTimedEvent}, when done.
     *
     * @throws IllegalStateException if the event has no time, or none yet
     */
    long busyNanos();

    @Override
    void close();
}
