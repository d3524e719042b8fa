package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.cache.LatentCache;
import dev.slipstream.pipelines.cache.Thresholds.Level;
import dev.slipstream.pipelines.cache.Thresholds;
import dev.slipstream.pipelines.diffusion.reuse.CacheUse;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Measures what a cache of latents costs a request that it does not serve: {@code MissTimes MODEL STEPS SIZE ROUNDS}.
 * Each round draws one picture without and one with it, in turns first, each of a prompt that nobody has asked for, and
 * waits until what is kept of it is written. Says medians, of the loop and of the whole, on the clock and of a
 * processor, and of the rounds' differences. The figures in docs/cache.md are its.
 */
final class MissTimes {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final Thresholds WORDS = new Thresholds(List.of(new Level(0, 0, 0.5)));
    private static final List<String> COLORS = List.of("red", "green", "blue", "yellow", "orange", "purple");
    private static final List<String> SHAPES =
        List.of("circle", "square", "triangle", "star", "ring", "cross", "diamond", "heart");
    private static final int WARM_UP = 8;
    /** In which another thread has written what is kept. */
    private static final int WRITING_MILLIS = 100;

    private MissTimes() {
    }

    /**
     * In milliseconds.
     *
     * @param device of a processor, that of the stream of the device
     * @param rest of a processor, that of all other threads, up to the end of writing
     */
    private record Times(double loop, double whole, double device, double rest) {
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        int steps = Integer.parseInt(args[1]);
        int size = Integer.parseInt(args[2]);
        int rounds = Integer.parseInt(args[3]);
        Path latents = Files.createTempDirectory("misses");
        Times[] without = new Times[rounds];
        Times[] with = new Times[rounds];
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(Path.of(args[0])).devices("cpu:1").plan("sequential")
                .latentCache(latents, LatentCache.DEFAULT_MAX_BYTES, Optional.of(WORDS)).open()) {
            for (int round = -WARM_UP; round < rounds; round++) {
                for (boolean caches : round % 2 == 0 ? new boolean[] {false, true} : new boolean[] {true, false}) {
                    ImageRequest request = ImageRequest.of(prompt(round + WARM_UP)).withSteps(steps)
                        .withSize(size, size).withSeed(round).withCache(caches ? CacheUse.USE : CacheUse.OFF);
                    Times times = measure(pipeline, request);
                    if (round >= 0) {
                        (caches ? with : without)[round] = times;
                    }
                }
            }
        }
        try (LatentCache cache = new LatentCache(latents, LatentCache.DEFAULT_MAX_BYTES)) {
            System.out.println(cache.list().size() + " pictures were kept");
        }
        tell("loop", without, with, Times::loop, Times::loop);
        tell("whole request", without, with, Times::whole, Times::loop);
        tell("device's thread, of a processor", without, with, Times::device, Times::device);
        tell("other threads, of a processor", without, with, Times::rest, Times::device);
    }

    /** Of 48, in words that the sample model knows. */
    private static String prompt(int number) {
        return "a large " + COLORS.get(number % COLORS.size()) + " "
            + SHAPES.get(number / COLORS.size() % SHAPES.size()) + " on a white background";
    }

    private static Times measure(DiffusionPipeline pipeline, ImageRequest request) throws InterruptedException {
        Map<Long, Long> before = processor();
        long start = System.nanoTime();
        GeneratedImage drawn = pipeline.submit(request).result().join();
        long end = System.nanoTime();
        if (drawn.cache().source().isPresent()) {
            throw new IllegalStateException("it was served");
        }
        Thread.sleep(WRITING_MILLIS);
        List<Long> spent = processor().entrySet().stream()
            .map(thread -> thread.getValue() - before.getOrDefault(thread.getKey(), 0L)).sorted().toList();
        double all = spent.stream().mapToLong(Long::longValue).sum() / 1e6;
        return new Times(drawn.loopTime().toNanos() / 1e6, (end - start) / 1e6, spent.getLast() / 1e6,
            all - spent.getLast() / 1e6);
    }

    /** Of each thread of Java, in nanoseconds. The one that computes spends by far the most. */
    private static Map<Long, Long> processor() {
        return Arrays.stream(THREADS.getAllThreadIds()).boxed()
            .collect(Collectors.toMap(id -> id, THREADS::getThreadCpuTime));
    }

    private static void tell(String what, Times[] without, Times[] with, ToDoubleFunction<Times> time,
            ToDoubleFunction<Times> loop) {
        double[] more = IntStream.range(0, with.length)
            .mapToDouble(round -> time.applyAsDouble(with[round]) - time.applyAsDouble(without[round])).toArray();
        Arrays.sort(more);
        System.out.printf("%s: %.1f ms without; with the cache %+.2f (quartiles %+.2f, %+.2f), %+.2f %% of the loop%n",
            what, median(without, time), more[more.length / 2], more[more.length / 4], more[3 * more.length / 4],
            100 * more[more.length / 2] / median(without, loop));
    }

    private static double median(Times[] all, ToDoubleFunction<Times> time) {
        return Arrays.stream(all).mapToDouble(time).sorted().toArray()[all.length / 2];
    }
}
