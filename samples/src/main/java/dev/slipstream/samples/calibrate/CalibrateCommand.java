package dev.slipstream.samples.calibrate;

import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.Generation;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.PipelineSpec;
import dev.slipstream.pipelines.diffusion.calibration.CacheSizes;
import dev.slipstream.pipelines.diffusion.calibration.Calibration;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.samples.options.ModelPath;
import dev.slipstream.samples.options.QuietOption;
import dev.slipstream.samples.options.ResultFiles;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.GeneralOptions;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.InputException;
import dev.slipstream.samples.terminal.Interruption;
import dev.slipstream.samples.terminal.Terminal;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Measures what {@code cache:calibrated} asks for. */
@Command(name = "calibrate", customSynopsis = "slipstream calibrate [OPTIONS] MODEL",
    description = {
        "Measures a model once for the plan cache:calibrated: how the size of what a cache keeps changes.",
        "Draws a few pictures with all steps, and writes a small file beside the model, which the plan finds."},
    footer = {"",
        "Examples:",
        "  slipstream calibrate samples/model",
        "  slipstream calibrate MODEL --prompts prompts.txt --steps 28 --output sizes.json",
        "  slipstream generate \"a red star\" --plan cache:calibrated,threshold=0.1"})
public final class CalibrateCommand implements Callable<Integer> {
    private static final int MOST_BYTES = 1 << 20;
    private static final int MOST_STEPS = 10_000;
    /** Of many kinds, as sizes hardly depend on what is drawn. */
    private static final List<String> PROMPTS = List.of("a mountain lake at sunrise, a photograph",
        "a portrait of an old fisherman, oil on canvas", "a street with cars and signs in the rain at night",
        "a large red star on a blue background");

    private final Terminal terminal;

    @Parameters(paramLabel = "MODEL", description = "A folder in the layout of diffusers, a checkpoint in one file, or "
        + "ORG/NAME in the hub's cache.")
    private String model;

    @Option(names = "--prompts", paramLabel = "FILE", order = HelpLayout.OWN + 1,
        description = "What is drawn, a prompt (or class) a line; without it four pictures of different kinds.")
    private Path prompts;

    @Option(names = "--steps", paramLabel = "N", order = HelpLayout.OWN + 2,
        description = "Denoising steps, if not as many as is usual with the model.")
    private Integer steps;

    @Option(names = "--guidance", paramLabel = "W", order = HelpLayout.OWN + 3,
        description = "Weight of the prompt, if not the usual one of the model.")
    private Double guidance;

    @Option(names = "--scheduler", paramLabel = "NAME", order = HelpLayout.OWN + 4,
        description = "Noise scheduler, if not the model's own.")
    private String scheduler;

    @Option(names = "--depth", paramLabel = "N", order = HelpLayout.OWN + 5, defaultValue = "0",
        description = "Layers or blocks of the shell that always runs, as in cache:depth=N (${DEFAULT-VALUE}).")
    private int depth;

    @Option(names = "--device", paramLabel = "SPEC", order = HelpLayout.DEVICES, defaultValue = "cpu:1",
        description = "The device (${DEFAULT-VALUE}).")
    private String device;

    @Option(names = "--output", paramLabel = "FILE", order = HelpLayout.OUTPUT,
        description = "Write this file, which cache:calibration=FILE takes, instead of the one beside the model.")
    private Path output;

    @Mixin
    private QuietOption quiet;

    @Spec
    private CommandSpec spec;

    public CalibrateCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        if (depth < 0 || steps != null && (steps < 2 || steps > MOST_STEPS)) {
            throw new InputException("--depth takes 0 or more, and --steps 2 to " + MOST_STEPS + ", not " + depth
                + " and " + steps);
        }
        Path path = ModelPath.of(model, terminal.environment());
        Path file = output == null ? Calibration.beside(path) : output;
        requireWritable(file);
        List<ImageRequest> requests = requests(prompts());
        CacheSizes sizes;
        String name;
        String denoiser;
        NoiseTable noise;
        try (PipelineSpec paper = pipeline(path).spec()) {
            if (paper.makesVideos()) {
                throw new InputException(model + " makes videos, and what is measured is for pictures");
            }
            PartitionedDenoiser parts = paper.unwrap(requests.getFirst(), PartitionedDenoiser.class);
            noise = paper.unwrap(requests.getFirst(), NoiseTable.class);
            sizes = CacheSizes.of(parts);
            denoiser = Calibration.of(parts.denoiser());
        }
        try (Interruption interruption = Interruption.onShutdown(terminal.complaints(false));
            DiffusionPipeline pipeline = pipeline(path).observed(sizes).open()) {
            name = draw(pipeline, requests, interruption);
        }
        new Calibration(name, denoiser, depth, noise.name(), requests.size(), sizes.ratios()).write(file);
        if (!quiet.isQuiet()) {
            terminal.out().println(file + " says how " + (sizes.isResidual() ? "what the inner part of " + name
                + " adds" : "what the inner part of " + name + " makes") + " changes its size over " + noise.steps()
                + " steps of " + noise.name() + "; --plan cache:"
                + (output == null ? "calibrated" : "calibration=" + output) + " takes it");
        }
        return ExitCode.OK;
    }

    private void requireWritable(Path file) {
        try {
            ResultFiles.checkWritable("--output", List.of(file));
        } catch (InputException unwritable) {
            throw output != null ? unwritable : new InputException(unwritable.getMessage().replaceFirst("; .*$", "")
                + "; name a file elsewhere with --output, which cache:calibration=FILE takes", unwritable);
        }
    }

    private DiffusionPipeline.Builder pipeline(Path path) {
        DiffusionPipeline.Builder pipeline = DiffusionPipeline.of(path).devices(device).plan(CacheSizes.plan(depth));
        return GeneralOptions.of(spec).flatMap(GeneralOptions::modelConfig).map(pipeline::config).orElse(pipeline);
    }

    private List<String> prompts() {
        if (prompts == null) {
            return PROMPTS;
        }
        try {
            List<String> lines = InputFile.text(prompts, MOST_BYTES).lines().map(String::strip)
                .filter(line -> !line.isEmpty()).toList();
            if (lines.isEmpty()) {
                throw new InputException(prompts + " has no prompt; write one a line");
            }
            return lines;
        } catch (IOException unreadable) {
            throw new InputException(unreadable.getMessage() + "; name another file with --prompts", unreadable);
        }
    }

    /** With a seed of its own each. */
    private List<ImageRequest> requests(List<String> texts) {
        return IntStream.range(0, texts.size()).mapToObj(index -> request(texts.get(index)).withSeed(index)).toList();
    }

    private ImageRequest request(String prompt) {
        ImageRequest request = ImageRequest.of(prompt);
        request = steps == null ? request : request.withSteps(steps);
        request = guidance == null ? request : request.withGuidance(guidance);
        return scheduler == null ? request : request.withScheduler(scheduler);
    }

    /** @return the model's name */
    private String draw(DiffusionPipeline pipeline, List<ImageRequest> requests, Interruption interruption) {
        String name = "";
        for (int picture = 0; picture < requests.size(); picture++) {
            if (!quiet.isQuiet()) {
                terminal.err().println("picture " + (picture + 1) + " of " + requests.size());
            }
            Generation generation = pipeline.submit(requests.get(picture));
            interruption.stops(generation::cancel);
            name = generation.result().join().model();
        }
        return name;
    }
}
