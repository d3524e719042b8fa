package dev.slipstream.pipelines.diffusion;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A process that draws pictures of several sizes for a long time: prints the median of its resident memory in kB over
 * each window of requests.
 */
final class Soak {
    static final int WINDOW = 300;
    /** Their engines are kept. */
    private static final int COMMON_SIZES = 6;
    /** So many that theirs are built and freed again and again. */
    private static final int RARE_SIZES = 30;

    private Soak() {
    }

    /** @param args the model, how many windows, and which share of requests, in percent, is of rare sizes */
    public static void main(String[] args) throws IOException {
        SplittableRandom random = new SplittableRandom(7);
        int rare = Integer.parseInt(args[2]);
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(Path.of(args[0])).devices("cpu:1", "cpu:1")
                .plan("asyncdiff:warmup=1").open()) {
            for (int window = 0; window < Integer.parseInt(args[1]); window++) {
                long[] resident = new long[WINDOW];
                for (int i = 0; i < WINDOW; i++) {
                    pipeline.submit(request(random, rare)).result().join();
                    resident[i] = residentKilobytes();
                }
                Arrays.sort(resident);
                System.out.println(resident[WINDOW / 2]);
            }
        }
    }

    private static ImageRequest request(SplittableRandom random, int rare) {
        int size = random.nextInt(100) >= rare ? random.nextInt(COMMON_SIZES)
            : COMMON_SIZES + random.nextInt(RARE_SIZES);
        return ImageRequest.of("red").withSeed(random.nextLong()).withSteps(1 + random.nextInt(3))
            .withSize(16 + size % 6 * 8, 16 + size / 6 * 8).withBatch(1 + random.nextInt(2));
    }

    private static long residentKilobytes() throws IOException {
        return residentKilobytes(Files.readAllLines(Path.of("/proc/self/status")));
    }

    private static long residentKilobytes(List<String> status) {
        return status.stream().filter(line -> line.startsWith("VmRSS:"))
            .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", ""))).findFirst().orElseThrow();
    }
}
