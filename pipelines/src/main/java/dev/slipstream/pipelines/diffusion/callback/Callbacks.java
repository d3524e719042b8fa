package dev.slipstream.pipelines.diffusion.callback;

import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs what callers want to be called with: on their executor, or on daemon threads that are made when they are wanted
 * and end when nothing is left to do, so that no callback waits for another one. What an executor refuses runs on such
 * a thread, too. Any thread may use it; nothing has to be closed.
 */
public final class Callbacks implements Executor {
    private static final Logger LOG = LoggerFactory.getLogger(Callbacks.class);
    /** Long enough for the steps of a loop, which are told one by one. */
    private static final long IDLE_SECONDS = 1;

    private final Executor own = new ThreadPoolExecutor(0, Integer.MAX_VALUE, IDLE_SECONDS, TimeUnit.SECONDS,
        new SynchronousQueue<>(), Thread.ofPlatform().daemon().name("slipstream callback ", 1).factory());
    private final Executor chosen;

    private Callbacks(Optional<Executor> chosen) {
        this.chosen = chosen.orElse(own);
    }

    /** On threads of their own. */
    public static Callbacks onOwnThreads() {
        return new Callbacks(Optional.empty());
    }

    /** On an executor of the caller's choice, who shuts it down. */
    public static Callbacks on(Executor executor) {
        return new Callbacks(Optional.of(executor));
    }

    /** A listener whose failures are logged instead. @param toWhat it listens */
    public static Consumer<String> tolerant(String toWhat, Consumer<String> listener) {
        return heard -> {
            try {
                listener.accept(heard);
            } catch (RuntimeException failure) {
                LOG.warn("the listener to {} failed; it was to hear: {}", toWhat, heard, failure);
            }
        };
    }

    /** A future that is completed by a callback; its dependents run here, too. */
    public <T> CompletableFuture<T> newFuture() {
        return new Dependent<>(this);
    }

    /** A future for a caller. @param givenUp called when it is first completed from outside */
    public <T> ResultFuture<T> newResult(Runnable givenUp) {
        return new ResultFuture<>(this, givenUp);
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

    /** What depends on a result stays off the common pool however far down the chain it is. */
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

    /**
     * The future that a caller gets. It has the answer as soon as there is one, and no callback can hold that up: they
     * run where {@link Callbacks} runs all, never on the thread that has the answer. Completing it from outside gives
     * up what it stands for.
     */
    public static final class ResultFuture<T> extends CompletableFuture<T> {
        /** Nothing depends on it, so completing it runs no callback. The future itself is completed after it. */
        private final CompletableFuture<T> answer = new CompletableFuture<>();
        private final Callbacks callbacks;
        private final Runnable givenUp;

        /** @param givenUp called when this is first completed from outside, in whatever way */
        private ResultFuture(Callbacks callbacks, Runnable givenUp) {
            this.callbacks = callbacks;
            this.givenUp = givenUp;
        }

        /** Gives the answer; too late if there is one. */
        public boolean answer(T value) {
            boolean first = answer.complete(value);
            if (first) {
                callbacks.execute(() -> super.complete(value));
            }
            return first;
        }

        /** Likewise, that there will be none. */
        public boolean refuse(Throwable reason) {
            boolean first = answer.completeExceptionally(reason);
            if (first) {
                callbacks.execute(() -> super.completeExceptionally(reason));
            }
            return first;
        }

        private boolean givenUpIf(boolean first) {
            if (first) {
                givenUp.run();
            }
            return first;
        }

        @Override
        public boolean complete(T value) {
            return givenUpIf(answer(value));
        }

        @Override
        public boolean completeExceptionally(Throwable reason) {
            return givenUpIf(refuse(reason));
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            return completeExceptionally(new CancellationException()) || answer.isCancelled();
        }

        @Override
        public void obtrudeValue(T value) {
            complete(value);
            answer.obtrudeValue(value);
            callbacks.execute(() -> super.obtrudeValue(value));
        }

        @Override
        public void obtrudeException(Throwable reason) {
            completeExceptionally(reason);
            answer.obtrudeException(reason);
            callbacks.execute(() -> super.obtrudeException(reason));
        }

        @Override
        public CompletableFuture<T> completeAsync(Supplier<? extends T> supplier, Executor executor) {
            executor.execute(() -> {
                try {
                    complete(supplier.get());
                } catch (Throwable failure) {
                    completeExceptionally(failure);
                }
            });
            return this;
        }

        @Override
        public Executor defaultExecutor() {
            return callbacks;
        }

        @Override
        public <U> CompletableFuture<U> newIncompleteFuture() {
            return callbacks.newFuture();
        }

        @Override
        public T join() {
            return answer.join();
        }

        @Override
        public T get() throws InterruptedException, ExecutionException {
            return answer.get();
        }

        @Override
        public T get(long timeout, TimeUnit unit) throws InterruptedException, ExecutionException, TimeoutException {
            return answer.get(timeout, unit);
        }

        @Override
        public T getNow(T valueIfAbsent) {
            return answer.getNow(valueIfAbsent);
        }

        @Override
        public T resultNow() {
            return answer.resultNow();
        }

        @Override
        public Throwable exceptionNow() {
            return answer.exceptionNow();
        }

        @Override
        public State state() {
            return answer.state();
        }

        @Override
        public boolean isDone() {
            return answer.isDone();
        }

        @Override
        public boolean isCancelled() {
            return answer.isCancelled();
        }

        @Override
        public boolean isCompletedExceptionally() {
            return answer.isCompletedExceptionally();
        }

        @Override
        public String toString() {
            return answer.toString();
        }
    }
}
