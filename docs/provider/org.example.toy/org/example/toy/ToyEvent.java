package org.example.toy;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.provider.BaseEvent;
import dev.slipstream.bridge.provider.Failures;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A point in a stream: a future that the stream completes when it comes there, with the time. */
final class ToyEvent extends BaseEvent<ToyDevice> {
    /** Null until it is put on a stream. */
    volatile CompletableFuture<Long> passed;

    /** Ends when the point is passed, or when it never will be, as the stream's device was given up. */
    volatile CompletableFuture<Object> over;

    ToyEvent(ToyDevice device, boolean timed) {
        super(device, timed);
    }

    /** Puts it elsewhere; returns what the stream there completes. */
    synchronized CompletableFuture<Long> put(ToyDevice where) {
        CompletableFuture<Long> point = new CompletableFuture<>();
        over = CompletableFuture.anyOf(point, where.lost);
        passed = point;
        return point;
    }

    @Override
    protected boolean wasRecorded() {
        return passed != null;
    }

    @Override
    protected boolean awaitNanos(long timeoutNanos) {
        CompletableFuture<Object> wanted = over;
        boolean interrupted = false;
        long end = System.nanoTime() + Math.min(timeoutNanos, Long.MAX_VALUE / 4);
        try {
            while (wanted != null && !wanted.isDone()) {
                try {
                    wanted.get(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
                } catch (TimeoutException late) {
                    return false;
                } catch (ExecutionException failed) {
                    break;
                } catch (InterruptedException later) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        if (wanted != null && wanted.isCompletedExceptionally()) {
            throw Failures.copyForCaller((DeviceException) wanted.exceptionNow());
        }
        return true;
    }

    @Override
    protected long passedNanos() {
        return passed.join();
    }

    @Override
    protected long passedBusyNanos() {
        return passedNanos();
    }

    @Override
    protected void free() {
        // It holds nothing.
    }
}
