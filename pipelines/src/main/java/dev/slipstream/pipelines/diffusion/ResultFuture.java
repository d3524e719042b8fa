package dev.slipstream.pipelines.diffusion;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/**
 * The future that a caller gets. Whoever waits for it or asks it has the answer as soon as there is one, and no
 * callback can hold that up: callbacks are told on {@link Callbacks}, never by the thread that has the answer,
 * whichever that is. Completing it from outside gives up what it stands for.
 */
final class ResultFuture<T> extends CompletableFuture<T> {
    /** Nothing hangs on it, so completing it calls nobody. The future itself is completed after it, for callbacks. */
    private final CompletableFuture<T> answer = new CompletableFuture<>();
    private final Callbacks callbacks;
    private final Runnable givenUp;

    /** @param givenUp called when somebody else completes this first, in whatever way */
    ResultFuture(Callbacks callbacks, Runnable givenUp) {
        this.callbacks = callbacks;
        this.givenUp = givenUp;
    }

    /** Gives the answer; too late if there is one. */
    boolean answer(T value) {
        boolean first = answer.complete(value);
        if (first) {
            callbacks.execute(() -> super.complete(value));
        }
        return first;
    }

    /** Likewise, that there will be none. */
    boolean refuse(Throwable reason) {
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
