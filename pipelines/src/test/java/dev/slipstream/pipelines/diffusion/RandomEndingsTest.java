package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Device;
import dev.slipstream.pipelines.model.folder.RandomModel;
import dev.slipstream.pipelines.model.folder.RandomModel.Family;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Requests and pipelines that are ended in all ways, at any moment and by any thread. */
@Tag("slow")
@Timeout(1800)
class RandomEndingsTest {
    private static final int PIPELINES = 20;
    private static final int THREADS = 5;
    private static final int REQUESTS_A_THREAD = 10;
    private static final List<String> PLANS = List.of("sequential", "cfg-split", "asyncdiff:warmup=1");

    private final AtomicInteger drawn = new AtomicInteger();
    private final AtomicInteger ended = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();

    @TempDir
    private Path model;

    @Test
    void nothingLeaksAndEverybodyIsTold(TestReporter reporter) throws Exception {
        long seed = Long.getLong("seed", System.nanoTime());
        reporter.publishEntry("seed", Long.toString(seed));
        RandomModel.write(model, Family.STABLE_DIFFUSION);
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < PIPELINES; i++) {
            use(random.split(), "seed " + seed + ", pipeline " + i);
        }
        assertEquals(PIPELINES * THREADS * REQUESTS_A_THREAD, drawn.get() + ended.get() + refused.get());
        assertTrue(drawn.get() > 100 && ended.get() > 100, drawn + " drawn, " + ended + " ended");
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().matches("(slipstream|build|cpu:).*")) {
                thread.join(TimeUnit.SECONDS.toMillis(30));
                assertTrue(!thread.isAlive(), "seed " + seed + ": " + thread + " is left");
            }
        }
    }

    private void use(SplittableRandom random, String which) throws Exception {
        DiffusionPipeline.Builder builder = DiffusionPipeline.of(model).devices("cpu:1", "cpu:1")
            .plan(PLANS.get(random.nextInt(PLANS.size())));
        builder.overlapped(random.nextBoolean());
        if (random.nextBoolean()) {
            builder.engineMemory(random.nextInt(4_000_000));
        }
        DiffusionPipeline pipeline = builder.open();
        List<Device> devices = pipeline.devices();
        List<CompletableFuture<Void>> users = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            SplittableRandom own = random.split();
            users.add(CompletableFuture.runAsync(() -> {
                for (int request = 0; request < REQUESTS_A_THREAD; request++) {
                    request(pipeline, own);
                }
            }, task -> Thread.ofPlatform().start(task)));
        }
        try {
            CompletableFuture.allOf(users.toArray(CompletableFuture[]::new)).get(600, TimeUnit.SECONDS);
        } catch (ExecutionException failure) {
            throw new AssertionError(which, failure.getCause());
        }
        pipeline.close();
        devices.forEach(device -> assertEquals(0, device.liveObjects(), which + ": " + device.name()));
    }

    private void request(DiffusionPipeline pipeline, SplittableRandom random) {
        Generation generation;
        try {
            generation = pipeline.submit(ImageRequest.of("red").withSteps(1 + random.nextInt(6))
                .withSeed(random.nextLong()).withSize(16 + 8 * random.nextInt(2), 16)
                .withBatch(1 + random.nextInt(2)).withPreviewEvery(random.nextInt(3)));
        } catch (IllegalStateException closed) {
            assertEquals("the pipeline is closed", closed.getMessage());
            refused.incrementAndGet();
            return;
        }
        boolean fails = random.nextInt(10) == 0;
        CompletableFuture<Void> heard = generation.onProgress(progress -> {
            if (fails) {
                throw new UnsupportedOperationException("a listener that fails");
            }
        });
        CompletableFuture<GeneratedImage> result = generation.result();
        CompletableFuture<List<GeneratedImage>> other = generation.results();
        for (int spins = random.nextInt(1 << random.nextInt(20)); spins > 0; spins--) {
            Thread.onSpinWait();
        }
        switch (random.nextInt(12)) {
            case 0 -> generation.cancel();
            case 1 -> result.cancel(true);
            case 2 -> result.orTimeout(random.nextInt(100), TimeUnit.MILLISECONDS);
            case 3 -> other.completeExceptionally(new CancellationException());
            case 4 -> other.complete(List.of());
            case 5 -> {
                if (random.nextInt(10) == 0) {
                    pipeline.close();
                }
            }
            case 6 -> {
                if (random.nextInt(10) == 0) {
                    other.thenRun(pipeline::close);
                }
            }
            default -> {
            }
        }
        await(result, drawn, ended);
        await(other, new AtomicInteger(), new AtomicInteger());
        await(heard, new AtomicInteger(), new AtomicInteger());
    }

    /** Whatever the end, it comes, and is one of those that are documented. */
    private static void await(CompletableFuture<?> future, AtomicInteger good, AtomicInteger bad) {
        try {
            future.get(300, TimeUnit.SECONDS);
            good.incrementAndGet();
        } catch (CancellationException cancelled) {
            bad.incrementAndGet();
        } catch (ExecutionException failed) {
            if (!(failed.getCause() instanceof UnsupportedOperationException)) {
                assertInstanceOf(TimeoutException.class, failed.getCause());
            }
            bad.incrementAndGet();
        } catch (InterruptedException | TimeoutException never) {
            throw new AssertionError("nobody was told", never);
        }
    }
}
