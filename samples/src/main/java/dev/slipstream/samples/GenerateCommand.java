package dev.slipstream.samples;

import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.GeneratedImage;
import dev.slipstream.pipelines.diffusion.Generation;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.Progress;
import dev.slipstream.pipelines.diffusion.image.PngFile;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Draws pictures. */
@Command(name = "generate", description = "Draws a picture of what the prompt says, and writes it as PNG.",
    footer = {"",
        "Examples:",
        "  slipstream generate \"a large red star on a blue background\" --seed 7",
        "  slipstream generate \"a small green circle\" --plan sequential --steps 20",
        "  slipstream generate \"two yellow squares\" --count 4 --output squares.png",
        "  slipstream generate \"two yellow squares\" --count 8 --batch 4",
        "  slipstream generate \"a castle\" --model DIR --lora ink.safetensors:0.8",
        "  slipstream generate \"a castle\" --model DIR --image sketch.png --strength 0.6",
        "  slipstream generate \"a castle\" --model SDXL --refiner REFINER --handover 0.8",
        "  slipstream generate \"a window\" --model DIR --image house.png --mask wall.png"})
final class GenerateCommand implements Callable<Integer> {
    /** Seeds that are chosen have few enough digits to be typed again. */
    private static final long SEEDS = 1L << 32;

    /** A day. */
    private static final int MOST_STEP_SECONDS = 86_400;

    private final Terminal terminal;

    @Parameters(paramLabel = "PROMPT", description = "What the picture shows, in quotes.")
    private String prompt;

    @Mixin
    private ModelOptions model;

    @Mixin
    private LoraOption lora;

    @Mixin
    private DeviceOptions devices;

    @Mixin
    private PrecisionOption precision;

    @Mixin
    private TilesOption tiles;

    @Mixin
    private RefinerOption refiner;

    @Mixin
    private RequestOptions request;

    @Option(names = "--negative", paramLabel = "TEXT", order = 20, defaultValue = "",
        description = "What the picture should not show.")
    private String negative;

    @Option(names = "--seed", paramLabel = "N", order = 21,
        description = "Of the noise that the picture comes from; the same seed gives the same noise everywhere. "
            + "Without it a random one, which is printed.")
    private Long seed;

    @Option(names = "--count", paramLabel = "N", order = 22,
        description = "Pictures, with seed, seed+1 and so on (as many as --batch); the files are numbered.")
    private Integer count;

    @Option(names = "--output", paramLabel = "FILE", order = 30, defaultValue = "slipstream.png",
        description = "Where the picture goes (${DEFAULT-VALUE}); replaced if it is there.")
    private Path output;

    @Option(names = "--enlarge", paramLabel = "FACTOR", order = 31,
        description = "Write every pixel as a square of that many pixels. Without it small pictures are enlarged to "
            + "at least 256 pixels; 1 leaves them as they are.")
    private Integer enlarge;

    @Option(names = "--preview", paramLabel = "N", order = 32, defaultValue = "0",
        description = "Every N steps, write the unfinished picture beside the output, as NAME.preview.png.")
    private int preview;

    @Option(names = "--guard", order = 33,
        description = "Look for NaN and infinite values after every segment, and name the first.")
    private boolean guard;

    @Option(names = "--step-timeout", paramLabel = "SECONDS", order = 34, defaultValue = "600",
        description = "How long a denoising step may take before its devices are given up (${DEFAULT-VALUE}).")
    private long stepTimeout;

    @Option(names = "--json", order = 35, description = "Print the result as one JSON object.")
    private boolean json;

    GenerateCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        long first = seed != null ? seed : new SplittableRandom().nextLong(SEEDS);
        ImageRequest wanted = request.request(prompt).withNegative(negative).withSeed(first).withPreviewEvery(preview);
        Enlargement enlargement = Enlargement.by(enlarge);
        if (stepTimeout < 1 || stepTimeout > MOST_STEP_SECONDS) {
            throw new InputException("--step-timeout takes 1 to " + MOST_STEP_SECONDS + " seconds, not " + stepTimeout
                + "; without it a step may take 600");
        }
        try (Interruption interruption = Interruption.onShutdown(terminal.err())) {
            OutputFiles files = OutputFiles.of(output, count(wanted));
            files.refuseOverwriting(Stream.of(request.files(), lora.files(), Overwriting.modelFiles(model.path()),
                refiner.files()).flatMap(List::stream).toList());
            drawAll(wanted, files, enlargement, interruption);
        }
        return ExitCode.OK;
    }

    /** How many pictures, in whole batches: engines are built for one size of batch. */
    private int count(ImageRequest wanted) {
        int batch = wanted.batch();
        int pictures = count == null ? batch : count;
        if (pictures % batch != 0) {
            int more = Math.ceilDiv(pictures, batch) * batch;
            throw new InputException("--count " + pictures + " is not a multiple of --batch " + batch
                + ", the size that the engines are built for; take "
                + (more > batch ? more - batch + " or " : "") + more + " pictures, or another --batch");
        }
        if (pictures > 0 && wanted.seed() > Long.MAX_VALUE - pictures + 1) {
            throw new InputException("the seeds of " + pictures + " pictures from " + wanted.seed() + " on go beyond "
                + Long.MAX_VALUE + "; take a smaller --seed");
        }
        return pictures;
    }

    private void drawAll(ImageRequest wanted, OutputFiles files, Enlargement enlargement, Interruption interruption) {
        FirstStep firstStep = new FirstStep();
        try (DiffusionPipeline pipeline = refiner.addTo(DiffusionPipeline.of(model.path())).loras(lora.loras())
            .devices(devices.devices()).plan(devices.plan()).precision(precision.precision()).tiles(tiles.tiles())
            .guarded(guard).patience(Duration.ofSeconds(stepTimeout))
            .warnings(new WarningsOnce(terminal.err())).open()) {
            enlargement.check(pipeline.draft().completed(wanted));
            GeneratedImage first = null;
            List<DrawnPicture> pictures = new ArrayList<>();
            while (pictures.size() < files.count()) {
                Generation generation = pipeline.submit(wanted.withSeed(wanted.seed() + pictures.size()));
                interruption.stops(generation::cancel);
                for (GeneratedImage picture : draw(generation, pictures.size(), files, enlargement, firstStep)) {
                    Path file = files.picture(pictures.size());
                    PngFile.write(file, enlargement.of(picture.image()), picture.metadata());
                    pictures.add(DrawnPicture.of(picture, file, enlargement));
                    first = first == null ? picture : first;
                }
            }
            GenerationReport report =
                new GenerationReport(pipeline.devices(), first, pictures, firstStep.time(), PeakMemory.bytes());
            terminal.out().println(json ? report.json() : report.text());
        }
    }

    /** @param drawn pictures that are done */
    private List<GeneratedImage> draw(Generation generation, int drawn, OutputFiles files, Enlargement enlargement,
        FirstStep firstStep) {
        ProgressBar bar = json || !terminal.isWatched() ? null
            : new ProgressBar(terminal, title(drawn, files.count()));
        try {
            CompletableFuture<Void> unwritten = new CompletableFuture<>();
            generation.onProgress(progress -> {
                firstStep.stepDone();
                show(progress, bar);
                try {
                    for (int index = 0; index < progress.previews().size(); index++) {
                        PngFile.write(files.preview(drawn + index), enlargement.of(progress.previews().get(index)),
                            Map.of());
                    }
                } catch (RuntimeException failure) {
                    // Without a place for previews the rest is not what was asked for.
                    unwritten.completeExceptionally(failure);
                    generation.cancel();
                }
            }).join();
            unwritten.getNow(null);
            return generation.results().join();
        } finally {
            if (bar != null) {
                bar.wipe();
            }
        }
    }

    private String title(int drawn, int all) {
        int batch = request.batch();
        return all == 1 ? "" : (batch == 1 ? "picture " : "pictures " + (drawn + 1) + " to ") + (drawn + batch) + " of "
            + all + " ";
    }

    private static void show(Progress progress, ProgressBar bar) {
        if (bar != null) {
            bar.show(progress);
        }
    }
}
