package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.run.LoopObserver;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.SubmissionPublisher;
import java.util.function.Consumer;

/** A picture on its way. Any thread may use it. */
public final class Generation {
    private final CompletableFuture<GeneratedImage> result = new CompletableFuture<>();
    private final SubmissionPublisher<Progress> progress = new SubmissionPublisher<>();
    private volatile boolean cancelled;

    Generation() {
    }

    /** The picture; fails with the reason if there will be none: {@link CancellationException} if cancelled. */
    public CompletableFuture<GeneratedImage> result() {
        // Not copy(), which wraps the reason, so that cancelling would not be told from failing.
        CompletableFuture<GeneratedImage> view = new CompletableFuture<>();
        result.whenComplete((image, reason) -> {
            if (reason == null) {
                view.complete(image);
            } else {
                view.completeExceptionally(reason);
            }
        });
        return view;
    }

    /** One item a step. A subscriber that falls behind by more than 256 steps misses some. */
    public Flow.Publisher<Progress> progress() {
        return progress;
    }

    /**
     * Calls {@code listener} for each step from now on, on a thread of its own; the simple form of {@link #progress}.
     *
     * @return done when the generation is and the listener has seen the last step
     */
    public CompletableFuture<Void> onProgress(Consumer<? super Progress> listener) {
        return progress.consume(listener);
    }

    /** Stops at the next step. Steps that are queued already are finished first; the pipeline stays usable. */
    public void cancel() {
        cancelled = true;
    }

    boolean isCancelled() {
        return cancelled;
    }

    /**
     * Follows a loop that takes some of a picture's steps.
     *
     * @param before steps that were taken before the loop
     * @param all steps of the picture
     */
    LoopObserver observer(int before, int all, Previewer previewer) {
        return new LoopObserver() {
            @Override
            public void stepDone(int step, int steps) {
                if (progress.hasSubscribers()) {
                    progress.offer(new Progress(before + step + 1, all, previewer.preview(step)), null);
                }
            }

            @Override
            public boolean isCancelled() {
                return cancelled;
            }
        };
    }

    void complete(GeneratedImage image) {
        progress.close();
        result.complete(image);
    }

    void fail(Throwable reason) {
        if (reason instanceof CancellationException) {
            progress.close();
        } else {
            progress.closeExceptionally(reason);
        }
        result.completeExceptionally(reason);
    }
}
