package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.diffusion.callback.Callbacks;
import dev.slipstream.pipelines.diffusion.callback.Feed;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * A request on its way, whatever becomes of it: what {@link Generation} and {@link VideoGeneration} show of it is said
 * there. Any thread may use it.
 *
 * @param <R> what becomes of it
 */
final class RunningRequest<R> {
    private final Callbacks callbacks;
    private final Runnable withdrawal;
    private final CompletableFuture<R> outcome = new CompletableFuture<>();
    private final Feed<Progress> progress;

    /** @param withdrawal takes it out of the queue, if it is there */
    RunningRequest(Callbacks callbacks, Runnable withdrawal) {
        this.callbacks = callbacks;
        this.withdrawal = withdrawal;
        this.progress = new Feed<>(callbacks, it -> !it.previews().isEmpty(),
            it -> new Progress(it.step(), it.steps(), List.of()));
    }

    /** A future of its own for a part of the outcome; completing it from outside cancels the request. */
    <T> CompletableFuture<T> future(Function<R, T> part) {
        // Not thenApply(), which wraps the reason, so that cancelling would not be told from failing.
        Callbacks.ResultFuture<T> future = callbacks.newResult(this::cancel);
        outcome.whenComplete((all, reason) -> {
            if (reason == null) {
                future.answer(part.apply(all));
            } else {
                future.refuse(reason);
            }
        });
        return future;
    }

    Flow.Publisher<Progress> progress() {
        return progress;
    }

    CompletableFuture<Void> onProgress(Consumer<? super Progress> listener) {
        return progress.consume(listener);
    }

    void cancel() {
        fail(new CancellationException("cancelled"));
        withdrawal.run();
    }

    boolean isCancelled() {
        return outcome.isDone();
    }

    /** @throws CancellationException if it is no longer wanted */
    void requireWanted() {
        if (isCancelled()) {
            throw new CancellationException("cancelled");
        }
    }

    /** Where a loop tells how far it is. */
    Feed<Progress> feed() {
        return progress;
    }

    void complete(R all) {
        if (outcome.complete(all)) {
            progress.end(Optional.empty());
        }
    }

    void fail(Throwable reason) {
        if (outcome.completeExceptionally(reason)) {
            progress.end(Optional.of(reason).filter(it -> !(it instanceof CancellationException)));
        }
    }
}
