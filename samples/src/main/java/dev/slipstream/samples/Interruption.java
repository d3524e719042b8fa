package dev.slipstream.samples;

import java.io.PrintWriter;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ctrl-C while pictures are drawn: asks the work to stop and holds the end of the process until it has, so that no file
 * is left half-written. Close it when the work is done.
 */
final class Interruption implements AutoCloseable {
    /** Longer than a step of most models; who waits longer wants out. */
    private static final int PATIENCE_SECONDS = 20;

    private final CountDownLatch done = new CountDownLatch(1);
    private final Thread hook = new Thread(this::stop, "interruption");
    private final PrintWriter err;
    private boolean stopped;
    private Runnable work = () -> {
    };

    private Interruption(PrintWriter err) {
        this.err = err;
    }

    static Interruption onShutdown(PrintWriter err) {
        Interruption interruption = new Interruption(err);
        Runtime.getRuntime().addShutdownHook(interruption.hook);
        return interruption;
    }

    /**
     * Says what to stop from now on.
     *
     * @param cancel called on another thread; may be called after the work is done
     * @throws CancellationException if it is too late
     */
    synchronized void stops(Runnable cancel) {
        work = cancel;
        if (stopped) {
            cancel.run();
            throw new CancellationException("cancelled");
        }
    }

    void stop() {
        synchronized (this) {
            stopped = true;
            work.run();
        }
        try {
            // Said here and not where the work ends: the process may be gone before that thread gets to say it.
            err.println(done.await(PATIENCE_SECONDS, TimeUnit.SECONDS)
                ? "slipstream: cancelled; no file is left half-written"
                : "slipstream: cancelled while a step still ran; delete hidden .tmp files beside the output");
            err.flush();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        done.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException shuttingDown) {
            // The hook is what runs now.
        }
    }
}
