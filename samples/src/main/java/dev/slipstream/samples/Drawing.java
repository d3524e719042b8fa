package dev.slipstream.samples;

import dev.slipstream.pipelines.diffusion.GeneratedImage;
import dev.slipstream.pipelines.diffusion.Generation;
import dev.slipstream.pipelines.diffusion.Progress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Flow;
import java.util.function.Consumer;

/** Waits for a picture and shows its progress meanwhile. */
final class Drawing implements Flow.Subscriber<Progress> {
    private final Generation generation;
    private final Consumer<Progress> watcher;
    private final CompletableFuture<Void> watched = new CompletableFuture<>();

    private Drawing(Generation generation, Consumer<Progress> watcher) {
        this.generation = generation;
        this.watcher = watcher;
    }

    /**
     * Waits until the picture is there and the watcher has seen the last step.
     *
     * @param watcher called once a step, on another thread; if it fails, the generation is cancelled
     * @throws CompletionException with the reason why there is no picture
     */
    static GeneratedImage await(Generation generation, Consumer<Progress> watcher) {
        Drawing drawing = new Drawing(generation, watcher);
        generation.progress().subscribe(drawing);
        try {
            return generation.result().join();
        } finally {
            // Where the watcher failed, that is the reason and not the cancellation that came of it.
            drawing.watched.join();
        }
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
        subscription.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(Progress progress) {
        try {
            watcher.accept(progress);
        } catch (RuntimeException failure) {
            watched.completeExceptionally(failure);
            generation.cancel();
        }
    }

    @Override
    public void onError(Throwable failure) {
        watched.complete(null);
    }

    @Override
    public void onComplete() {
        watched.complete(null);
    }
}
