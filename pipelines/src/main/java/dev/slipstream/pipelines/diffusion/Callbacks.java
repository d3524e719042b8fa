package dev.slipstream.pipelines.diffusion;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs what callers want to be called with: on their executor, or on daemon threads that are made when they are wanted
 * and end when nothing is left to do, so that no callback waits for another one. What an executor refuses runs on such
 * a thread, too. Any thread may use it; nothing has to be closed.
 */
final class Callbacks implements Executor {
    private static final Logger LOG = LoggerFactory.getLogger(Callbacks.class);
    /** Long enough for the steps of a loop, which are told one by one. */
    private static final long IDLE_SECONDS = 1;

    private final Executor own = new ThreadPoolExecutor(0, Integer.MAX_VALUE, IDLE_SECONDS, TimeUnit.SECONDS,
        new SynchronousQueue<>(), Thread.ofPlatform().daemon().name("slipstream callback ", 1).factory());
    private final Executor chosen;

    private Callbacks(Executor chosen) {
        this.chosen = chosen == null ? own : chosen;
    }

    /** On threads of their own. */
    static Callbacks onOwnThreads() {
        return new Callbacks(null);
    }

    /** On an executor of the caller's choice, who shuts it down. */
    static Callbacks on(Executor executor) {
        return new Callbacks(executor);
    }

    /** A future that is completed by a callback; its dependents run here, too. */
    <T> CompletableFuture<T> newFuture() {
        return new Dependent<>(this);
    }

    /** Throws nothing but what the callback itself throws, where the executor runs it in this thread. */
    @Override
    public void execute(Runnable callback) {
        Task task = new Task(callback);
        try {
            chosen.execute(task);
        } catch (RuntimeException | Error refusal) {
            if (task.begun) {
                throw refusal;
            }
            LOG.warn("the executor of callbacks refuses one, which runs on a thread of its own now: {}",
                refusal.toString());
            executeInstead(task);
        }
    }

    private void executeInstead(Task task) {
        try {
            own.execute(task);
        } catch (Error noThread) {
            LOG.error("a callback is lost, as there are no more threads", noThread);
        }
    }

    private static final class Task implements Runnable {
        private final Runnable callback;
        private volatile boolean begun;

        private Task(Runnable callback) {
            this.callback = callback;
        }

        @Override
        public void run() {
            begun = true;
            callback.run();
        }
    }

    /** What hangs on a result stays off the common pool however far down the chain it is. */
    private static final class Dependent<T> extends CompletableFuture<T> {
        private final Callbacks callbacks;

        private Dependent(Callbacks callbacks) {
            this.callbacks = callbacks;
        }

        @Override
        public Executor defaultExecutor() {
            return callbacks;
        }

        @Override
        public <U> CompletableFuture<U> newIncompleteFuture() {
            return new Dependent<>(callbacks);
        }
    }
}
