package dev.slipstream.pipelines.diffusion;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Requests that wait for their turn, and the thread that takes one after another. Any thread may use it. */
final class RequestQueue {
    private static final Logger LOG = LoggerFactory.getLogger(RequestQueue.class);

    private final Map<Generation, Runnable> waiting = new LinkedHashMap<>();
    private final Runnable atEnd;
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private final Thread thread = Thread.ofPlatform().daemon().name("slipstream").unstarted(this::work);
    private boolean closing;

    /** @param atEnd what the thread does last */
    RequestQueue(Runnable atEnd) {
        this.atEnd = atEnd;
    }

    void start() {
        thread.start();
    }

    /** @throws IllegalStateException if it is closed */
    synchronized void requireOpen() {
        if (closing) {
            throw new IllegalStateException("the pipeline is closed");
        }
    }

    /**
     * Queues the work of a generation.
     *
     * @param work throws nothing
     * @throws IllegalStateException if it is closed
     */
    synchronized void add(Generation generation, Runnable work) {
        requireOpen();
        waiting.put(generation, work);
        notifyAll();
    }

    /** Takes a generation out that still waits. */
    synchronized void remove(Generation generation) {
        waiting.remove(generation);
    }

    private void work() {
        try {
            for (Runnable work = take(); work != null; work = take()) {
                work.run();
            }
            atEnd.run();
            ended.complete(null);
        } catch (Throwable failure) {
            ended.completeExceptionally(failure);
        }
    }

    /** The next, null when it is closed. */
    private synchronized Runnable take() {
        while (waiting.isEmpty() && !closing) {
            try {
                wait();
            } catch (InterruptedException ofNoUse) {
                // Only close() ends the thread.
            }
        }
        Map.Entry<Generation, Runnable> first = waiting.isEmpty() ? null : waiting.entrySet().iterator().next();
        if (first == null) {
            return null;
        }
        waiting.remove(first.getKey());
        return first.getValue();
    }

    /**
     * Takes no more, ends those that wait and lets the one that runs end; then the thread does its last work. Waits for
     * that, whoever has closed it first, unless this is the thread itself.
     *
     * @throws RuntimeException what the last work threw, to the first who closes it
     */
    void close() {
        List<Generation> left;
        boolean first;
        synchronized (this) {
            first = !closing;
            closing = true;
            left = List.copyOf(waiting.keySet());
            waiting.clear();
            notifyAll();
        }
        left.forEach(generation -> generation.fail(
            new CancellationException("the pipeline was closed before this request's turn")));
        if (Thread.currentThread() == thread) {
            if (first) {
                ended.exceptionally(failure -> {
                    LOG.warn("closing the pipeline failed", failure);
                    return null;
                });
            }
            return;
        }
        try {
            ended.join();
        } catch (CompletionException failed) {
            if (first) {
                throw failed.getCause() instanceof RuntimeException cause ? cause : failed;
            }
        }
    }
}
