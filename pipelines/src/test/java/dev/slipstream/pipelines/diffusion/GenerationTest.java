package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.callback.Callbacks;
import dev.slipstream.pipelines.diffusion.callback.Feed;
import dev.slipstream.pipelines.diffusion.image.Image;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What callers hold of a request: futures, callbacks and progress, without a pipeline behind it. */
@Timeout(60)
class GenerationTest {
    /** Which picture does not matter here. */
    private static final GeneratedImage PICTURE = new GeneratedImage(null, ImageRequest.of(""), null);
    private static final List<GeneratedImage> PICTURES = List.of(PICTURE);

    private final BlockingQueue<Generation> withdrawn = new LinkedBlockingQueue<>();

    private Generation generation(Callbacks callbacks) {
        return new Generation(callbacks, withdrawn::add);
    }

    private Generation generation() {
        return generation(Callbacks.onOwnThreads());
    }

    private static void tell(Generation generation, int step, int steps) {
        generation.running().feed().tell(new Progress(step, steps, List.of()));
    }

    @Test
    void callbacksRunOnThreadsOfTheirOwnHoweverTheyAreAttached() throws Exception {
        Generation generation = generation();
        BlockingQueue<String> threads = new LinkedBlockingQueue<>();
        Runnable callback = () -> threads.add(Thread.currentThread().getName());
        CompletableFuture<GeneratedImage> result = generation.result();
        result.thenRun(callback);
        result.thenRunAsync(callback);
        result.thenApply(GeneratedImage::image).thenRunAsync(callback);
        result.thenCompose(picture -> generation.results().thenApplyAsync(all -> all)).thenRunAsync(callback);
        result.copy().whenCompleteAsync((picture, failure) -> callback.run());
        CompletableFuture.allOf(result, generation.results()).thenRun(callback);
        generation.onProgress(progress -> callback.run()).thenRunAsync(callback);
        tell(generation, 1, 1);
        generation.running().complete(PICTURES);
        for (int i = 0; i < 8; i++) {
            String thread = threads.poll(30, TimeUnit.SECONDS);
            assertTrue(thread != null && thread.startsWith("slipstream callback"), thread);
        }
    }

    @Test
    void callbacksRunOnTheExecutorOfTheCallersChoice() throws Exception {
        try (ExecutorService chosen = Executors.newSingleThreadExecutor(Thread.ofPlatform().name("mine").factory())) {
            Generation generation = generation(Callbacks.on(chosen));
            BlockingQueue<String> threads = new LinkedBlockingQueue<>();
            Runnable callback = () -> threads.add(Thread.currentThread().getName());
            generation.result().thenRun(callback);
            generation.results().thenRunAsync(callback);
            generation.result().orTimeout(1, TimeUnit.HOURS).exceptionally(failure -> PICTURE).thenRun(callback);
            generation.onProgress(progress -> callback.run());
            tell(generation, 1, 1);
            generation.running().complete(PICTURES);
            for (int i = 0; i < 4; i++) {
                assertEquals("mine", threads.poll(30, TimeUnit.SECONDS));
            }
        }
    }

    @Test
    void whoeverWaitsIsNotHeldUpByACallbackThatBlocks() {
        Generation generation = generation();
        CountDownLatch release = new CountDownLatch(1);
        CompletableFuture<GeneratedImage> result = generation.result();
        CompletableFuture<Void> blocked = result.thenAccept(picture -> await(release));
        CompletableFuture<Void> heard = generation.onProgress(progress -> await(release));
        tell(generation, 1, 1);
        generation.running().complete(PICTURES);
        assertSame(PICTURE, result.join());
        assertSame(PICTURE, generation.result().join());
        assertEquals(PICTURES, generation.results().thenApply(pictures -> pictures).join());
        assertTrue(result.isDone() && !blocked.isDone() && !heard.isDone());
        release.countDown();
        blocked.join();
        heard.join();
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(30, TimeUnit.SECONDS), "nobody releases");
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void anExecutorThatRefusesLosesNeitherResultNorCallback() {
        ExecutorService down = Executors.newSingleThreadExecutor();
        down.shutdown();
        Generation generation = generation(Callbacks.on(down));
        CompletableFuture<String> thread = generation.result()
            .thenApply(picture -> Thread.currentThread().getName());
        List<Progress> seen = new ArrayList<>();
        CompletableFuture<Void> heard = generation.onProgress(seen::add);
        tell(generation, 1, 1);
        generation.running().complete(PICTURES);
        assertTrue(thread.join().startsWith("slipstream callback"), thread.join());
        heard.join();
        assertEquals(1, seen.size());
    }

    @Test
    void anExecutorThatForgetsItsTasksLosesCallbacksOnly() throws Exception {
        Generation generation = generation(Callbacks.on(task -> {
        }));
        CompletableFuture<GeneratedImage> result = generation.result();
        CompletableFuture<Void> callback = result.thenAccept(picture -> {
        });
        generation.running().complete(PICTURES);
        assertSame(PICTURE, result.get(30, TimeUnit.SECONDS));
        assertSame(PICTURE, result.getNow(null));
        assertSame(PICTURE, result.resultNow());
        assertFalse(callback.isDone());
    }

    private static final Map<String, Consumer<CompletableFuture<GeneratedImage>>> OUTSIDE = Map.of(
        "cancel", result -> assertTrue(result.cancel(true)),
        "complete", result -> assertTrue(result.complete(PICTURE)),
        "completeExceptionally", result -> assertTrue(result.completeExceptionally(new IllegalStateException())),
        "completeAsync", result -> result.completeAsync(() -> PICTURE),
        "orTimeout", result -> result.orTimeout(1, TimeUnit.MILLISECONDS),
        "completeOnTimeout", result -> result.completeOnTimeout(PICTURE, 1, TimeUnit.MILLISECONDS),
        "obtrudeValue", result -> result.obtrudeValue(PICTURE),
        "obtrudeException", result -> result.obtrudeException(new IllegalStateException()));

    @ParameterizedTest
    @ValueSource(strings = {"cancel", "complete", "completeExceptionally", "completeAsync", "orTimeout",
        "completeOnTimeout", "obtrudeValue", "obtrudeException"})
    void completingOneFutureFromOutsideCancelsTheGenerationAndTheOthers(String how) throws Exception {
        Generation generation = generation();
        CompletableFuture<GeneratedImage> one = generation.result();
        CompletableFuture<List<GeneratedImage>> other = generation.results();
        CompletableFuture<String> told = one.handle((picture, failure) -> Thread.currentThread().getName());
        OUTSIDE.get(how).accept(one);
        assertSame(generation, withdrawn.poll(30, TimeUnit.SECONDS));
        assertTrue(generation.running().isCancelled());
        assertThrows(CancellationException.class, generation.running()::requireWanted);
        assertThrows(CancellationException.class, () -> other.get(30, TimeUnit.SECONDS));
        assertTrue(told.join().startsWith("slipstream callback"), told.join());
        generation.running().complete(PICTURES);
        assertTrue(other.isCancelled(), "too late");
        assertEquals(how.equals("cancel"), one.isCancelled());
    }

    @Test
    void aTimeoutIsTheReasonOfItsOwnFuture() {
        CompletableFuture<GeneratedImage> result = generation().result().orTimeout(1, TimeUnit.MILLISECONDS);
        ExecutionException failure = assertThrows(ExecutionException.class, () -> result.get(30, TimeUnit.SECONDS));
        assertInstanceOf(TimeoutException.class, failure.getCause());
        assertInstanceOf(TimeoutException.class, result.exceptionNow());
    }

    @Test
    void whatHangsOnAFutureCancelsNothing() {
        Generation generation = generation();
        CompletableFuture<GeneratedImage> result = generation.result();
        result.thenApply(picture -> picture).cancel(true);
        result.copy().complete(PICTURE);
        generation.onProgress(progress -> {
        }).cancel(true);
        assertFalse(generation.running().isCancelled());
        generation.running().complete(PICTURES);
        assertSame(PICTURE, result.join());
        assertFalse(result.cancel(true), "too late");
        generation.cancel();
        assertFalse(result.isCancelled());
    }

    @Test
    void theReasonOfAFailureIsNotWrapped() {
        Generation generation = generation();
        CompletableFuture<Throwable> told = new CompletableFuture<>();
        generation.result().whenComplete((picture, failure) -> told.complete(failure));
        CompletableFuture<Void> heard = generation.onProgress(progress -> {
        });
        IllegalStateException reason = new IllegalStateException("no more paint");
        generation.running().fail(reason);
        assertSame(reason, told.join());
        assertSame(reason, assertThrows(CompletionException.class, generation.result()::join).getCause());
        assertSame(reason, assertThrows(CompletionException.class, heard::join).getCause());
    }

    @Test
    void aListenerThatThrowsIsToldNoMoreAndDisturbsNobody() {
        Generation generation = generation();
        List<Integer> before = new ArrayList<>();
        List<Integer> seen = new ArrayList<>();
        IllegalStateException bad = new IllegalStateException("cannot look at it");
        CompletableFuture<Void> broken = generation.onProgress(progress -> {
            before.add(progress.step());
            throw bad;
        });
        CompletableFuture<Void> heard = generation.onProgress(progress -> seen.add(progress.step()));
        tell(generation, 1, 3);
        assertSame(bad, assertThrows(CompletionException.class, broken::join).getCause());
        tell(generation, 2, 3);
        tell(generation, 3, 3);
        generation.running().complete(PICTURES);
        heard.join();
        assertEquals(List.of(1), before);
        assertEquals(List.of(1, 2, 3), seen);
        assertSame(PICTURE, generation.result().join());
    }

    @Test
    void aSlowListenerHearsTheNewestStepsInOrderAndTheNewestPreviews() {
        Generation generation = generation();
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        List<Progress> seen = new ArrayList<>();
        CompletableFuture<Void> heard = generation.onProgress(progress -> {
            begun.countDown();
            await(release);
            seen.add(progress);
        });
        tell(generation, 1, 1000);
        await(begun);
        Image shown = Image.of(1, 1, new byte[3]);
        for (int step = 2; step <= 1000; step++) {
            generation.running().feed().tell(new Progress(step, 1000, step % 10 == 0 ? List.of(shown) : List.of()));
        }
        generation.running().complete(PICTURES);
        release.countDown();
        heard.join();
        assertEquals(1, seen.removeFirst().step());
        assertEquals(IntStream.rangeClosed(1000 - Feed.MOST + 1, 1000).boxed().toList(),
            seen.stream().map(Progress::step).toList());
        assertEquals(IntStream.rangeClosed(100 - Feed.MOST_LARGE + 1, 100).map(it -> 10 * it).boxed()
            .toList(), seen.stream().filter(it -> it.preview().isPresent()).map(Progress::step).toList());
    }

    /** Notes what it is told. */
    private static final class Subscriber implements Flow.Subscriber<Progress> {
        private final ConcurrentLinkedQueue<String> told = new ConcurrentLinkedQueue<>();
        private final CompletableFuture<Void> ended = new CompletableFuture<>();
        private final long first;
        private Flow.Subscription subscription;

        private Subscriber(long first) {
            this.first = first;
        }

        @Override
        public void onSubscribe(Flow.Subscription given) {
            subscription = given;
            told.add("subscribed");
            given.request(first);
        }

        @Override
        public void onNext(Progress progress) {
            told.add("step " + progress.step());
            subscription.request(1);
        }

        @Override
        public void onError(Throwable failure) {
            told.add(failure.getClass().getSimpleName());
            ended.complete(null);
        }

        @Override
        public void onComplete() {
            told.add("done");
            ended.complete(null);
        }
    }

    @Test
    void subscribersAreToldWhatTheyAskForAndTheEnd() {
        Generation generation = generation();
        Subscriber subscriber = new Subscriber(1);
        Subscriber wrong = new Subscriber(0);
        generation.progress().subscribe(subscriber);
        generation.progress().subscribe(wrong);
        tell(generation, 1, 2);
        tell(generation, 2, 2);
        generation.running().complete(PICTURES);
        Subscriber late = new Subscriber(1);
        generation.progress().subscribe(late);
        subscriber.ended.join();
        wrong.ended.join();
        late.ended.join();
        assertEquals(List.of("subscribed", "step 1", "step 2", "done"), List.copyOf(subscriber.told));
        assertEquals(List.of("subscribed", "IllegalArgumentException"), List.copyOf(wrong.told));
        assertEquals(List.of("subscribed", "done"), List.copyOf(late.told));
    }
}
