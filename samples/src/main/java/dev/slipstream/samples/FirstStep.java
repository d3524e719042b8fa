package dev.slipstream.samples;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;

/** How long it took until the first denoising step was done, from when this was made. Any thread may use it. */
final class FirstStep {
    private final long begin = System.nanoTime();
    private final AtomicReference<Duration> time = new AtomicReference<>();

    /** A step is done; all but the first change nothing. */
    void stepDone() {
        if (time.get() == null) {
            time.compareAndSet(null, Duration.ofNanos(System.nanoTime() - begin));
        }
    }

    Duration time() {
        return time.get();
    }
}
