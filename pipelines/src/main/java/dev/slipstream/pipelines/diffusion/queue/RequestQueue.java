package dev.slipstream.pipelines.diffusion.queue;

import dev.slipstream.bridge.provider.Closer;
import dev.slipstream.pipelines.run.timeline.Timeline;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs the requests of a pipeline one after another on a thread of its own; where they overlap, another thread encodes
 * the prompts of the next and decodes the pictures of the one before while one is denoised. Any thread may add requests
 * and close it.
 */
public final class RequestQueue implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RequestQueue.class);

    private final List<AutoCloseable> owned;
    private final Optional<Consumer<Timeline>> timelines;
    private final SequencedMap<Object, QueuedWork> waiting = new LinkedHashMap<>();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private final Thread thread = Thread.ofPlatform().daemon().name("slipstream").unstarted(this::work);
    private final Beside beside = new Beside(this, waiting);
    private boolean closing;

    /**
     * @param owned what its thread closes in the end, the last first
     * @param timelines who is told what ran when; loops must be traced then
     */
    public RequestQueue(List<AutoCloseable> owned, Optional<Consumer<Timeline>> timelines) {
        this.owned = List.copyOf(owned);
        this.timelines = timelines;
    }

    public void start() {
        thread.start();
    }

    /** @throws IllegalStateException if it is closed */
    private synchronized void requireOpen() {
        if (closing) {
            throw new IllegalStateException("the pipeline is closed");
        }
    }

    /** Works out what takes an open pipeline. @throws IllegalStateException if it is closed, before or meanwhile */
    public <T> T whileOpen(Supplier<T> work) {
        requireOpen();
        try {
            return work.get();
        } catch (IllegalStateException closed) {
            // By another thread, just now.
            requireOpen();
            throw closed;
        }
    }

    /**
     * Queues a request.
     *
     * @param key by which it can be taken out
     * @throws IllegalStateException if it is closed
     */
    public synchronized void add(Object key, QueuedWork work) {
        requireOpen();
        waiting.put(key, work);
        notifyAll();
    }

    /** Takes one out that still waits. */
    public synchronized void remove(Object key) {
        QueuedWork work = waiting.remove(key);
        if (work != null) {
            beside.forget(work);
        }
    }

    private void work() {
        try {
            for (QueuedWork next = take(); next != null; next = take()) {
                draw(next);
            }
            beside.close();
            Closer.closeAll(owned);
            ended.complete(null);
        } catch (Throwable failure) {
            ended.completeExceptionally(failure);
        }
    }

    /** The next, null when it is closed. */
    private synchronized @Nullable QueuedWork take() {
        beside.expectLoop(!waiting.isEmpty());
        beside.await(() -> !waiting.isEmpty() || closing);
        Map.Entry<Object, QueuedWork> first = waiting.pollFirstEntry();
        return first == null ? null : first.getValue();
    }

    private void draw(QueuedWork work) {
        work.begin();
        boolean overlaps;
        try {
            if (!beside.hasEncoded(work)) {
                if (!work.takeEngines()) {
                    beside.awaitIdle();
                    work.buildEngines();
                }
                work.encode();
            }
            overlaps = work.overlaps();
            beside.denoise(work, timelines);
        } catch (Throwable failure) {
            work.end(failure);
            return;
        }
        if (overlaps) {
            beside.finish(work);
        } else {
            Beside.decode(work);
        }
    }

    /**
     * Takes no more, ends those that wait and lets those that run end; then the thread does its last work. Waits for
     * that, also where another thread has closed it first, unless this is a thread of its own.
     *
     * @throws RuntimeException what the last work threw, to the first who closes it
     */
    @Override
    public void close() {
        List<QueuedWork> left;
        boolean first;
        synchronized (this) {
            first = !closing;
            closing = true;
            left = List.copyOf(waiting.values());
            waiting.clear();
            left.forEach(beside::forget);
            notifyAll();
        }
        left.forEach(work -> work.refuse(
            new CancellationException("the pipeline was closed before this request's turn")));
        if (Thread.currentThread() == thread || beside.isThisThread()) {
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
