package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.diffusion.callback.Callbacks;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.function.Consumer;

/**
 * The pictures of a request on their way. Any thread may use it.
 *
 * <p><b>Callbacks</b>, those of the futures as well as listeners to progress, run on the executor that
 * {@link DiffusionPipeline.Builder#callbacks} was given, else on daemon threads of their own: never on the thread that
 * draws, and never on the common pool, also where they are attached with an {@code Async} method without executor. So
 * they may block, and they may close the pipeline. Those of one future run one after another, as always with
 * {@link CompletableFuture}. To wait for a future with {@code join} or {@code get} is to wait for no callback.
 */
public final class Generation {
    private final RunningRequest<List<GeneratedImage>> running;

    /** @param withdrawal takes it out of the queue, if it is there */
    Generation(Callbacks callbacks, Consumer<Generation> withdrawal) {
        this.running = new RunningRequest<>(callbacks, () -> withdrawal.accept(this));
    }

    /**
     * The picture, of a batch the first; fails with the reason if there will be none: {@link CancellationException} if
     * cancelled.
     *
     * <p>Each call gives a future of its own. Completing any of them from outside cancels the generation, and with it
     * the others: {@code cancel}, {@code orTimeout}, {@code complete} and the like. Futures that depend on them, such
     * as {@code thenApply} gives, do not.
     */
    public CompletableFuture<GeneratedImage> result() {
        return running.future(List::getFirst);
    }

    /** All pictures of the request's batch, in the order of their seeds; in all else like {@link #result}. */
    public CompletableFuture<List<GeneratedImage>> results() {
        return running.future(images -> images);
    }

    /**
     * One item a step, in order. For a subscriber that is slow the newest 256 steps are kept, of which the newest 8
     * with previews have theirs; older ones it misses. It is called where callbacks run, one call at a time. If it
     * throws, that is logged and it is told no more.
     */
    public Flow.Publisher<Progress> progress() {
        return running.progress();
    }

    /**
     * Calls {@code listener} for each step from now on, where callbacks run, one call at a time; the simple form of
     * {@link #progress}. If it throws, that is logged and it is called no more; the generation goes on.
     *
     * @return done when the generation is and the listener has seen the last step; fails with what the listener has
     *     thrown, or as the generation does. Completing it from outside ends the listening
     */
    public CompletableFuture<Void> onProgress(Consumer<? super Progress> listener) {
        return running.onProgress(listener);
    }

    /**
     * Ends it. Its futures fail at once, and what waits in the queue leaves it. Work that runs stops as soon as it can:
     * a loop at the next step, with those that are queued already finished first; engines that are being built when the
     * one is done that is in the works, as no library lets go before. The pipeline stays usable, and waits for that
     * before it takes the next request. Nothing happens if the generation is done.
     */
    public void cancel() {
        running.cancel();
    }

    /** What a pipeline does with it. */
    RunningRequest<List<GeneratedImage>> running() {
        return running;
    }
}
