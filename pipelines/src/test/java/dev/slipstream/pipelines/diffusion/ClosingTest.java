package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.FaultInjectingProvider;
import dev.slipstream.bridge.Faults.Call;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** However a pipeline or one of its requests is ended, everybody is told and nothing is left. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ClosingTest {
    private static final ImageRequest STAR = ImageRequest.of("a large red star on a blue background").withSteps(2);

    private final FaultInjectingProvider provider = new FaultInjectingProvider(Devices.discover().providers().stream()
        .filter(it -> it.name().equals("cpu")).findFirst().orElseThrow());
    private final CountDownLatch building = new CountDownLatch(1);
    private final CountDownLatch release = new CountDownLatch(1);
    private final List<Device> opened = new ArrayList<>();

    private DiffusionPipeline.Builder builder() {
        return DiffusionPipeline.of(Path.of("..", "samples", "model")).providers(Devices.of(provider))
            .devices("cpu:1", "cpu:1").plan("asyncdiff:warmup=1");
    }

    private DiffusionPipeline open(DiffusionPipeline.Builder builder) {
        DiffusionPipeline pipeline = builder.open();
        opened.addAll(pipeline.devices());
        return pipeline;
    }

    /** A pipeline whose engines are not built before {@link #release}. */
    private DiffusionPipeline openHeldBack() {
        provider.faults().before(EnumSet.of(Call.BUILD), () -> {
            building.countDown();
            await(release);
        });
        return open(builder());
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(60, TimeUnit.SECONDS), "nobody releases");
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @AfterEach
    void nothingIsLeft() {
        opened.forEach(device -> assertEquals(0, device.liveObjects(), device.name()));
    }

    @Test
    void closingInACallbackEnds() {
        DiffusionPipeline pipeline = open(builder());
        Generation generation = pipeline.submit(STAR);
        CompletableFuture<Void> closed = generation.result().thenAccept(picture -> pipeline.close());
        CompletableFuture<Void> progressed = generation.onProgress(progress -> pipeline.close());
        closed.join();
        progressed.join();
        assertThrows(IllegalStateException.class, () -> pipeline.submit(STAR));
    }

    @Test
    void eightThreadsCloseAtOnceAndAllReturnWhenItIsClosed() throws InterruptedException {
        DiffusionPipeline pipeline = open(builder());
        pipeline.submit(STAR).result().join();
        Generation running = pipeline.submit(STAR.withSteps(20));
        List<Throwable> thrown = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            threads.add(Thread.ofPlatform().start(() -> {
                try {
                    pipeline.close();
                    assertTrue(running.result().isDone());
                    assertEquals(0, opened.getFirst().liveObjects());
                } catch (Throwable failure) {
                    synchronized (thrown) {
                        thrown.add(failure);
                    }
                }
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(List.of(), thrown);
        pipeline.close();
    }

    @Test
    void closingWhileEnginesAreBuiltWaitsForTheRequestAndEndsThoseThatWait() {
        DiffusionPipeline pipeline = openHeldBack();
        Generation running = pipeline.submit(STAR);
        Generation waiting = pipeline.submit(STAR);
        await(building);
        CompletableFuture<Void> closed = CompletableFuture.runAsync(pipeline::close, task ->
            Thread.ofPlatform().start(task));
        assertThrows(CancellationException.class, () -> waiting.result().get(60, TimeUnit.SECONDS));
        assertFalse(closed.isDone());
        assertFalse(running.result().isDone());
        release.countDown();
        closed.join();
        assertEquals(32, running.result().join().image().width());
    }

    @Test
    void aRequestThatIsCancelledWhileItsEnginesAreBuiltIsDoneAtOnce() {
        try (DiffusionPipeline pipeline = openHeldBack()) {
            Generation generation = pipeline.submit(STAR);
            await(building);
            generation.cancel();
            assertThrows(CancellationException.class, () -> generation.result().join());
            assertEquals(1, release.getCount(), "still building");
            release.countDown();
            assertEquals(32, pipeline.submit(STAR).result().join().image().width());
        }
    }

    @Test
    void aRequestThatIsCancelledWhileItWaitsIsDoneAtOnceAndNeverRuns() {
        try (DiffusionPipeline pipeline = openHeldBack()) {
            Generation running = pipeline.submit(STAR);
            Generation waiting = pipeline.submit(STAR);
            List<Progress> seen = new ArrayList<>();
            CompletableFuture<Void> heard = waiting.onProgress(seen::add);
            await(building);
            assertTrue(waiting.result().cancel(true));
            assertThrows(CancellationException.class, () -> waiting.results().join());
            heard.join();
            release.countDown();
            running.result().join();
            pipeline.submit(STAR).result().join();
            assertEquals(List.of(), seen);
        }
    }

    @Test
    void anErrorWhileBuildingIsTheReasonAndFreesWhatWasBuilt() {
        try (DiffusionPipeline pipeline = open(builder())) {
            OutOfMemoryError full = new OutOfMemoryError("of the heap");
            provider.faults().before(EnumSet.of(Call.BUILD), () -> {
                if (Thread.currentThread().getName().contains("image decoder")) {
                    throw full;
                }
            });
            CompletionException failed =
                assertThrows(CompletionException.class, () -> pipeline.submit(STAR).result().join());
            assertSame(full, failed.getCause());
            opened.forEach(device -> assertEquals(0, device.liveObjects(), device.name()));
            provider.faults().before(EnumSet.of(Call.BUILD), () -> {
            });
            assertEquals(32, pipeline.submit(STAR).result().join().image().width());
        }
    }

    @Test
    void theListenerToWarningsMayCloseOrThrow() {
        CompletableFuture<DiffusionPipeline> made = new CompletableFuture<>();
        DiffusionPipeline closing = open(builder().warnings(warning -> made.join().close()));
        made.complete(closing);
        assertThrows(IllegalStateException.class, () -> closing.submit(ImageRequest.of("red ".repeat(90))));
        try (DiffusionPipeline throwing = open(builder().warnings(warning -> {
            throw new IllegalStateException("does not listen");
        }))) {
            throwing.submit(ImageRequest.of("red ".repeat(90)).withSteps(1)).result().join();
        }
    }

    @Test
    void closingOnThePipelinesOwnThreadIsPutOffAndNobodyWaitsForEver() {
        DiffusionPipeline pipeline = open(builder().callbacks(Runnable::run));
        CompletableFuture<String> thread = new CompletableFuture<>();
        Generation generation = pipeline.submit(STAR.withSteps(20));
        generation.result().thenRun(() -> {
            pipeline.close();
            thread.complete(Thread.currentThread().getName());
        });
        assertEquals("slipstream", thread.join());
        pipeline.close();
    }

    @Test
    void anInterruptedThreadClosesAllTheSame() {
        DiffusionPipeline pipeline = open(builder());
        pipeline.submit(STAR);
        Thread.currentThread().interrupt();
        pipeline.close();
        assertTrue(Thread.interrupted());
    }
}
