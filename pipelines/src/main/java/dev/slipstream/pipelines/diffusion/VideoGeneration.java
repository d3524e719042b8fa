package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.diffusion.callback.Callbacks;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * The video of a request on its way. Any thread may use it; callbacks run as those of a {@link Generation} do.
 */
public final class VideoGeneration {
    private final RunningRequest<GeneratedVideo> running;

    /** @param withdrawal takes it out of the queue, if it is there */
    VideoGeneration(Callbacks callbacks, Consumer<VideoGeneration> withdrawal) {
        this.running = new RunningRequest<>(callbacks, () -> withdrawal.accept(this));
    }

    /**
     * The video; fails with the reason if there will be none: {@link CancellationException} if cancelled. Each call
     * gives a future of its own, and completing one from outside cancels the generation, as {@link Generation#result}
     * says.
     */
    public CompletableFuture<GeneratedVideo> result() {
        return running.future(Function.identity());
    }

    /** One item a step, in order; see {@link Generation#progress}. Previews are of all frames. */
    public Flow.Publisher<Progress> progress() {
        return running.progress();
    }

    /** Calls {@code listener} for each step from now on; see {@link Generation#onProgress}. */
    public CompletableFuture<Void> onProgress(Consumer<? super Progress> listener) {
        return running.onProgress(listener);
    }

    /** Ends it; see {@link Generation#cancel}. */
    public void cancel() {
        running.cancel();
    }

    /** What a pipeline does with it. */
    RunningRequest<GeneratedVideo> running() {
        return running;
    }
}
