package dev.slipstream.pipelines.diffusion;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A process that draws pictures of several sizes for a long time: after each window of requests, prints the median
 * of its resident memory in kB over the window's last readings.
 */
final class Soak {
    static final int WINDOW = 300;
    private static final int READINGS = 30;
    private static final int WIDTHS = 4;

    private Soak() {
    }

    /** @param args the model, how many windows, of how many sizes, and of how many pictures at most */
    public static void main(String[] args) throws IOException {
        SplittableRandom random = new SplittableRandom(7);
        int sizes = Integer.parseInt(args[2]);
        int pictures = Integer.parseInt(args[3]);
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(Path.of(args[0])).devices("cpu:1", "cpu:1")
                .plan("asyncdiff:warmup=1").open()) {
            for (int window = 0; window < Integer.parseInt(args[1]); window++) {
                long[] resident = new long[READINGS];
                for (int i = 0; i < WINDOW; i++) {
                    pipeline.submit(request(random, sizes, pictures)).result().join();
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

    private static long residentKilobytes() throws IOException {
        return residentKilobytes(Files.readAllLines(Path.of("/proc/self/status")));
    }

    private static long residentKilobytes(List<String> status) {
        return status.stream().filter(line -> line.startsWith("VmRSS:"))
            .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", ""))).findFirst().orElseThrow();
    }
}
