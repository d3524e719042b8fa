package dev.slipstream.samples.terminal;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ctrl-C while pictures are drawn: asks the work to stop and holds the end of the process until it has, so that no file
 * is left half-written. Close it when the work is done.
 */
public final class Interruption implements AutoCloseable {
    /** Longer than a step of most models takes. */
    private static final int PATIENCE_SECONDS = 20;

    private final CountDownLatch done = new CountDownLatch(1);
    private final Thread hook = new Thread(this::stop, "interruption");
    private final Complaints complaints;
    private boolean stopped;
    private Runnable work = () -> {
    };

    private Interruption(Complaints complaints) {
        this.complaints = complaints;
    }

    public static Interruption onShutdown(Complaints complaints) {
        Interruption interruption = new Interruption(complaints);
        Runtime.getRuntime().addShutdownHook(interruption.hook);
        return interruption;
    }

    /**
     * From now on Ctrl-C stops this.
     *
     * @param cancel called on another thread; may be called after the work is done
     * @throws CancellationException if Ctrl-C came before; {@code cancel} was called then
     */
    public synchronized void stops(Runnable cancel) {
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
            // Printed here, as the process may end before the thread of the work can print it.
            complaints.error(done.await(PATIENCE_SECONDS, TimeUnit.SECONDS)
                ? "cancelled; no file is left half-written"
                : "cancelled while a step still ran; delete hidden .tmp files beside the output", null, null, false);
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
            // The process ends, and the hook is running.
        }
    }
}
