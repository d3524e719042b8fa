package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.cache.Thresholds.Level;
import dev.slipstream.pipelines.cache.Thresholds;
import dev.slipstream.pipelines.diffusion.reuse.CacheUse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * A process that draws pictures of several sizes for a long time: after each window of requests, prints the median
 * of its resident memory in kB over the window's last readings.
 */
final class Soak {
    static final int WINDOW = 300;
    private static final int READINGS = 30;
    private static final int WIDTHS = 4;
    private static final int PROMPTS = 100;
    private static final Thresholds ANY = new Thresholds(List.of(new Level(0, 0, 0.5)));
    /** Of some of the prompts. */
    static final long MOST_LATENT_BYTES = 300_000;

    private Soak() {
    }

    /**
     * @param args the model, how many windows, of how many sizes, and of how many pictures at most; or the model, how
     *     many windows, and a folder for a cache of latents
     */
    public static void main(String[] args) throws IOException {
        SplittableRandom random = new SplittableRandom(7);
        DiffusionPipeline.Builder builder = DiffusionPipeline.of(Path.of(args[0])).devices("cpu:1", "cpu:1")
            .plan("asyncdiff:warmup=1");
        boolean cached = args.length == 3;
        if (cached) {
            builder.latentCache(Path.of(args[2]), MOST_LATENT_BYTES, Optional.of(ANY));
        }
        try (DiffusionPipeline pipeline = builder.open()) {
            for (int window = 0; window < Integer.parseInt(args[1]); window++) {
                long[] resident = new long[READINGS];
                for (int i = 0; i < WINDOW; i++) {
                    pipeline.submit(cached ? cached(random)
                        : request(random, Integer.parseInt(args[2]), Integer.parseInt(args[3]))).result().join();
                    resident[i % READINGS] = residentKilobytes();
                }
                Arrays.sort(resident);
                System.out.println(resident[READINGS / 2]);
            }
        }
    }

    private static ImageRequest request(SplittableRandom random, int sizes, int pictures) {
        int size = random.nextInt(sizes);
        return ImageRequest.of("red").withSeed(random.nextLong()).withSteps(1 + random.nextInt(2))
            .withSize(16 + size % WIDTHS * 8, 16 + size / WIDTHS * 8).withBatch(1 + random.nextInt(pictures));
    }

    /** Some prompt of many, which goes on from latents of the same one where these were not evicted. */
    private static ImageRequest cached(SplittableRandom random) {
        return ImageRequest.of("star " + random.nextInt(PROMPTS)).withSeed(random.nextLong()).withSteps(4)
            .withSize(16, 16).withCache(CacheUse.USE.withOtherSeeds());
    }

    private static long residentKilobytes() throws IOException {
        return residentKilobytes(Files.readAllLines(Path.of("/proc/self/status")));
    }

    private static long residentKilobytes(List<String> status) {
        return status.stream().filter(line -> line.startsWith("VmRSS:"))
            .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", ""))).findFirst().orElseThrow();
    }
}
