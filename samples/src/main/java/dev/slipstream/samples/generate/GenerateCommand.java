package dev.slipstream.samples.generate;

import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.GeneratedImage;
import dev.slipstream.pipelines.diffusion.GeneratedVideo;
import dev.slipstream.pipelines.diffusion.Generation;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.Progress;
import dev.slipstream.pipelines.diffusion.VideoGeneration;
import dev.slipstream.pipelines.diffusion.VideoRequest;
import dev.slipstream.pipelines.run.timeline.Timeline;
import dev.slipstream.samples.generate.OutputFiles.VideoFiles;
import dev.slipstream.samples.generate.OutputFiles.WrittenPicture;
import dev.slipstream.samples.options.CacheOptions;
import dev.slipstream.samples.options.ControlOptions;
import dev.slipstream.samples.options.LoraOption;
import dev.slipstream.samples.options.PipelineOptions;
import dev.slipstream.samples.options.PromptOptions;
import dev.slipstream.samples.options.QuietOption;
import dev.slipstream.samples.options.RequestOptions;
import dev.slipstream.samples.options.ResultFiles;
import dev.slipstream.samples.options.TimelineOptions;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.InputException;
import dev.slipstream.samples.terminal.Interruption;
import dev.slipstream.samples.terminal.ProgressDisplay;
import dev.slipstream.samples.terminal.Terminal;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Draws pictures. */
@Command(name = "generate", customSynopsis = "slipstream generate [OPTIONS] PROMPT",
    description = {"Draws a picture of what the prompt says, and writes it as PNG or JPEG.",
        "Models that make videos make one of the prompt, or of the picture of --image."},
    footer = {"",
        "Examples:",
        "  slipstream generate \"a large red star on a blue background\" --seed 7",
        "  slipstream generate \"a small green circle\" --plan sequential --steps 20",
        "  slipstream generate \"two yellow squares\" --count 8 --batch 4",
        "  slipstream generate \"a large red star\" --cache use --cache-folder latents",
        "  echo \"a red circle\" | slipstream generate - --output - > circle.png",
        "",
        "With models of random weights, whose pictures show nothing:",
        "  slipstream model init --like sd15 --tiny tiny",
        "  slipstream generate \"a house\" --model tiny --enlarge 1 --output house.png",
        "  slipstream generate \"a castle\" --model tiny --image house.png --strength 0.6",
        "  slipstream generate \"a window\" --model tiny --image house.png --mask house.png",
        "  slipstream model init --like sdxl --tiny base",
        "  slipstream model init --like sdxl-refiner --tiny refiner",
        "  slipstream generate \"a castle\" --model base --refiner refiner",
        "  slipstream model init --like dit --tiny classes",
        "  slipstream generate --class \"golden retriever\" --model classes",
        "  slipstream model init --like controlnet-sd15 --tiny net",
        "  slipstream generate castle --model tiny --controlnet net --control house.png",
        "",
        "  slipstream model init --like svd --tiny film",
        "  slipstream generate --model film --image house.png --output house.gif",
        "",
        "With a LoRA of your own:",
        "  slipstream generate \"a castle\" --model DIR --lora ink.safetensors:0.8"})
public final class GenerateCommand implements Callable<Integer> {

    /** One day. */
    private static final int MOST_STEP_SECONDS = 86_400;

    private final Terminal terminal;

    @Mixin
    private PromptOptions prompts;

    @Mixin
    private PipelineOptions options;

    @Mixin
    private LoraOption lora;

    @Mixin
    private RequestOptions request;

    @Mixin
    private ControlOptions control;

    @Mixin
    private CacheOptions cache;

    @Mixin
    private TimelineOptions timelines;

    @Mixin
    private QuietOption quiet;

    @Option(names = "--negative", paramLabel = "TEXT", order = HelpLayout.PICTURE + 3, defaultValue = "",
        description = "What the picture should not show.")
    private String negative;

    @Option(names = "--seed", paramLabel = "N", order = HelpLayout.PICTURE,
        description = "Of the noise that the picture comes from; the same seed gives the same noise everywhere. "
            + "Without it a random one, which is printed.")
    private Long seed;

    @Option(names = "--count", paramLabel = "N", order = HelpLayout.PICTURE + 5,
        description = "Pictures of each prompt, with seed, seed+1 and so on (as many as --batch); the files are "
            + "numbered.")
    private Integer count;

    @Option(names = "--output", paramLabel = "FILE", order = HelpLayout.OUTPUT, defaultValue = "slipstream.png",
        description = "Where the picture goes (${DEFAULT-VALUE}), as PNG or, with the ending .jpg, as JPEG, which has "
            + "no room for how it was made; replaced if it is there. Videos are animated, as PNG or with the ending "
            + ".gif, or have their frames in the folder of that name. With - it is the standard output, as PNG, and "
            + "what is said otherwise goes to the standard error output.")
    private Path output;

    @Option(names = "--enlarge", paramLabel = "FACTOR", order = HelpLayout.OUTPUT + 1,
        description = "Write every pixel as a square of that many pixels. Without it small pictures are enlarged to "
            + "at least 256 pixels; 1 leaves them as they are.")
    private Integer enlarge;

    @Option(names = "--preview", paramLabel = "N", order = HelpLayout.OUTPUT + 2, defaultValue = "0",
        description = "Every N steps, write the unfinished picture beside the output, as NAME.preview.png or .jpg.")
    private int preview;

    @Option(names = "--preview-decoder", paramLabel = "DIR", order = HelpLayout.OUTPUT + 3,
        description = "Decode previews with this AutoencoderTiny (TAESD), a folder with config.json and safetensors, "
            + "which takes a small part of the time; the picture is decoded as without it.")
    private Path previewDecoder;

    @Option(names = "--guard", order = HelpLayout.DEVICES + 4,
        description = "Look for NaN and infinite values after every segment, and name the first.")
    private boolean guard;

    @Option(names = "--step-timeout", paramLabel = "SECONDS", order = HelpLayout.DEVICES + 5, defaultValue = "600",
        description = "How long a denoising step may take before its devices are given up (${DEFAULT-VALUE}).")
    private long stepTimeout;

    @Option(names = "--json", order = HelpLayout.OUTPUT + 4,
        description = "Print the result as one JSON object, and errors as JSON, too.")
    private boolean json;

    private final AtomicReference<Timeline> lastLoop = new AtomicReference<>();

    public GenerateCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        if (stepTimeout < 1 || stepTimeout > MOST_STEP_SECONDS) {
            throw new InputException("--step-timeout takes 1 to " + MOST_STEP_SECONDS + " seconds, not " + stepTimeout
                + "; without it a step may take 600");
        }
        if (OutputFiles.isStandard(output) && (json || preview != 0)) {
            throw new InputException("--output - leaves no place for " + (json ? "--json" : "--preview")
                + "; name a file with --output");
        }
        timelines.check(Stream.concat(inputs().stream(), Stream.of(output)).toList());
        long first = seed != null ? seed : ImageRequest.randomSeed();
        boolean none = prompts.isEmpty() && (request.saysClass() || request.hasPicture());
        List<String> texts = none ? List.of("") : prompts.prompts(terminal);
        if (request.saysVideo() || VideoFiles.areMeant(output)) {
            try (Interruption interruption = Interruption.onShutdown(terminal.complaints(json));
                DiffusionPipeline pipeline = open()) {
                requireVideos(pipeline);
                makeVideos(pipeline, texts, first, interruption, System.nanoTime());
            }
            return ExitCode.OK;
        }
        List<ImageRequest> wanted = texts.stream().map(prompt ->
            cache.apply(control.apply(request.request(prompt))).withNegative(negative).withSeed(first)
                .withPreviewEvery(preview)).toList();
        try (Interruption interruption = Interruption.onShutdown(terminal.complaints(json))) {
            int each = count(wanted.getFirst());
            // Too many pictures of one prompt are complained of in the same words as too many prompts.
            OutputFiles files = OutputFiles.of(output, Math.toIntExact(Math.min(Integer.MAX_VALUE,
                (long) each * wanted.size())), enlarge, terminal::bytes);
            files.refuseOverwriting(inputs());
            drawAll(wanted, each, files, interruption);
        }
        return ExitCode.OK;
    }

    /** All files that are read. */
    private List<Path> inputs() {
        return Stream.of(prompts.files(), request.files(), lora.files(), control.files(), decoder(), options.files())
            .flatMap(List::stream).toList();
    }

    private DiffusionPipeline.Builder pipeline() {
        DiffusionPipeline.Builder pipeline = cache.apply(control.apply(lora.apply(options.pipeline())));
        if (timelines.areWanted()) {
            pipeline = pipeline.timelines(lastLoop::set);
        }
        return previewDecoder == null ? pipeline : pipeline.previewDecoder(previewDecoder);
    }

    /** The files of the autoencoder for previews. */
    private List<Path> decoder() {
        return previewDecoder == null ? List.of() : ResultFiles.ofComponent(previewDecoder);
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
        long first = wanted.seed().orElseThrow();
        if (pictures > 0 && first > Long.MAX_VALUE - pictures + 1) {
            throw new InputException("the seeds of " + pictures + " pictures from " + first + " on go beyond "
                + Long.MAX_VALUE + "; take a smaller --seed");
        }
        return pictures;
    }

    /** @param each pictures of each request, with seeds in a row */
    private void drawAll(List<ImageRequest> wanted, int each, OutputFiles files, Interruption interruption)
        throws IOException {
        long begin = System.nanoTime();
        AtomicReference<Duration> firstStep = new AtomicReference<>();
        try (DiffusionPipeline pipeline = open();
            ProgressDisplay display =
                new ProgressDisplay(terminal, !json && !quiet.isQuiet(), files.count() == request.batch())) {
            if (pipeline.spec().makesVideos()) {
                makeVideos(pipeline, wanted.stream().map(ImageRequest::prompt).toList(),
                    wanted.getFirst().seed().orElseThrow(), interruption, begin);
                return;
            }
            if (prompts.isEmpty() && !request.saysClass()) {
                // A picture alone is enough for videos only; this says what is missing.
                prompts.prompts(terminal);
            }
            wanted.forEach(request -> files.checkSize(pipeline.spec().completed(request)));
            GeneratedImage first = null;
            List<WrittenPicture> written = new ArrayList<>();
            while (written.size() < files.count()) {
                ImageRequest next = wanted.get(written.size() / each);
                Generation generation = pipeline.submit(next.withSeed(next.seed().orElseThrow()
                    + written.size() % each));
                interruption.stops(generation::cancel);
                display.begin(title(written.size(), files.count()));
                for (GeneratedImage picture : await(generation, written.size(), files, progress -> {
                    firstStep.compareAndSet(null, Duration.ofNanos(System.nanoTime() - begin));
                    display.show(progress.step(), progress.steps());
                })) {
                    written.add(files.write(written.size(), picture));
                    first = first == null ? picture : first;
                }
            }
            display.close();
            report(new GenerationReport(pipeline.devices(), Made.of(first), written, firstStep.get()));
        }
    }

    private DiffusionPipeline open() {
        return pipeline().guarded(guard).patience(Duration.ofSeconds(stepTimeout)).warnings(terminal.warnings(json))
            .open();
    }

    private void requireVideos(DiffusionPipeline pipeline) {
        if (!pipeline.spec().makesVideos()) {
            // Of a name that only videos have this says what pictures are written as.
            OutputFiles.of(output, 1, enlarge, terminal::bytes);
            throw new InputException(RequestOptions.FOR_VIDEOS);
        }
    }

    /** @param first seed of the first video of each prompt. @param begin when work began, in nanoseconds */
    private void makeVideos(DiffusionPipeline pipeline, List<String> texts, long first, Interruption interruption,
        long begin) throws IOException {
        if (enlarge != null || !control.files().isEmpty()) {
            throw new InputException((enlarge != null ? "--enlarge" : "--control")
                + " is for pictures; leave it out for a video");
        }
        int each = count == null ? 1 : Math.max(1, count);
        List<VideoRequest> wanted = texts.stream().map(prompt ->
            cache.apply(request.video(prompt)).withNegative(negative).withPreviewEvery(preview)).toList();
        wanted.forEach(pipeline.spec()::check);
        VideoFiles files = VideoFiles.of(output, Math.multiplyExact(each, wanted.size()), Stream.of(prompts.files(),
            request.files(), lora.files(), options.files()).flatMap(List::stream).toList());
        AtomicReference<Duration> firstStep = new AtomicReference<>();
        List<WrittenPicture> written = new ArrayList<>();
        List<Made> made = new ArrayList<>();
        try (ProgressDisplay display = new ProgressDisplay(terminal, !json && !quiet.isQuiet(),
            files.files().size() == 1)) {
            while (written.size() < files.files().size()) {
                int index = written.size();
                VideoGeneration generation = pipeline.submit(wanted.get(index / each)
                    .withSeed(Math.addExact(first, index % each)));
                interruption.stops(generation::cancel);
                display.begin(files.files().size() == 1 ? "" : "video " + (index + 1) + " of " + files.files().size());
                generation.onProgress(progress -> {
                    firstStep.compareAndSet(null, Duration.ofNanos(System.nanoTime() - begin));
                    display.show(progress.step(), progress.steps());
                    progress.preview().ifPresent(frame -> files.writePreview(index, frame));
                }).join();
                GeneratedVideo video = generation.result().join();
                written.add(files.write(index, video));
                made.add(Made.of(video));
            }
        }
        report(new GenerationReport(pipeline.devices(), made.getFirst(), written, firstStep.get()));
    }

    private void report(GenerationReport report) throws IOException {
        Map<String, Path> written =
            timelines.areWanted() ? timelines.write(Map.of("", lastLoop.get())) : Map.of();
        if (json) {
            terminal.out().println(report.json());
        } else if (!quiet.isQuiet()) {
            PrintWriter out = OutputFiles.isStandard(output) ? terminal.err() : terminal.out();
            out.println(report.text());
            written.forEach((what, file) -> out.println(String.format("%-8s %s", what, file)));
        }
    }

    /** @param done pictures that are written; @param stepDone called after each step */
    private List<GeneratedImage> await(Generation generation, int done, OutputFiles files,
        Consumer<Progress> stepDone) {
        CompletableFuture<Void> unwritten = new CompletableFuture<>();
        generation.onProgress(progress -> {
            stepDone.accept(progress);
            try {
                for (int index = 0; index < progress.previews().size(); index++) {
                    files.writePreview(done + index, progress.previews().get(index));
                }
            } catch (RuntimeException failure) {
                // Previews were asked for, so without them the generation has failed.
                unwritten.completeExceptionally(failure);
                generation.cancel();
            }
        }).join();
        unwritten.getNow(null);
        return generation.results().join();
    }

    private String title(int done, int all) {
        int batch = request.batch();
        return all == 1 ? "" : (batch == 1 ? "picture " : "pictures " + (done + 1) + " to ") + (done + batch)
            + " of " + all;
    }
}
