package dev.slipstream.samples.latents;

import dev.slipstream.pipelines.cache.LatentTrial;
import dev.slipstream.pipelines.cache.Thresholds;
import dev.slipstream.pipelines.cache.Thresholds.Level;
import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.PipelineSpec;
import dev.slipstream.pipelines.diffusion.calibration.LatentEvidence.Row;
import dev.slipstream.pipelines.diffusion.calibration.LatentThresholds.Measured;
import dev.slipstream.pipelines.diffusion.calibration.LatentThresholds;
import dev.slipstream.pipelines.diffusion.calibration.Likeness;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.model.folder.ModelFile;
import dev.slipstream.pipelines.model.original.ModelSource;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.samples.latents.LatentTrials.Found;
import dev.slipstream.samples.options.DeviceOptions;
import dev.slipstream.samples.options.ModelPath;
import dev.slipstream.samples.options.PrecisionOption;
import dev.slipstream.samples.options.QuietOption;
import dev.slipstream.samples.options.ResultFiles;
import dev.slipstream.samples.options.SamplingOptions;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.GeneralOptions;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.InputException;
import dev.slipstream.samples.terminal.Interruption;
import dev.slipstream.samples.terminal.Json;
import dev.slipstream.samples.terminal.ProgressDisplay;
import dev.slipstream.samples.terminal.Table;
import dev.slipstream.samples.terminal.Terminal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Measures how much alike prompts must be. */
@Command(name = "calibrate", customSynopsis = "slipstream cache calibrate [OPTIONS] MODEL",
    description = {
        "Measures how much alike prompts must be for a model's pictures to go on from each other's latents.",
        "Draws pictures of prompts that say the same or nearly, whole and from the latents of the others, and writes "
            + "what keeps the wanted quality to a small file beside the model, where all that use the cache find it."},
    footer = {"",
        "Examples:",
        "  slipstream cache calibrate samples/model",
        "  slipstream cache calibrate MODEL --prompts groups.txt --steps 28 --psnr 30",
        "  slipstream cache calibrate MODEL --output levels.json --json"})
public final class CacheCalibrateCommand implements Callable<Integer> {
    private static final int LEAST_STEPS = 10;
    private static final int MOST_STEPS = 10_000;
    private static final int MOST_SEEDS = 100;
    private static final String LEGEND = """
        extra words: that one of the two prompts has beyond the other; left out: of the steps; dB: likeness to the
        pictures drawn whole, mean and worst; SSIM: similarity of structures, mean, 1 for the same; score: the least
        cosine of the two conditionings that is enough
        """;

    private final Terminal terminal;

    @Parameters(paramLabel = "MODEL", description = "A folder in the layout of diffusers, a checkpoint in one file, or "
        + "ORG/NAME in the hub's cache.")
    private String model;

    @Option(names = "--prompts", paramLabel = "FILE", order = HelpLayout.OWN + 1,
        description = "What is drawn: groups of prompts that say the same or nearly, a prompt a line, with an empty "
            + "line between groups. Without it slipstream-prompts.txt beside the model, or else groups of what people "
            + "often ask for.")
    private Path prompts;

    @Option(names = "--psnr", paramLabel = "DB", order = HelpLayout.OWN + 2, defaultValue = "30",
        description = "The likeness that nine of ten pictures shall have to those drawn whole (${DEFAULT-VALUE}).")
    private double psnr;

    @Option(names = "--seeds", paramLabel = "N", order = HelpLayout.OWN + 3, defaultValue = "1",
        description = "Seeds for each prompt (${DEFAULT-VALUE}).")
    private int seeds;

    @Mixin
    private SamplingOptions sampling;

    @Mixin
    private DeviceOptions devices;

    @Mixin
    private PrecisionOption precision;

    @Option(names = "--output", paramLabel = "FILE", order = HelpLayout.OUTPUT,
        description = "Write this file instead of the one beside the model.")
    private Path output;

    @Option(names = "--json", order = HelpLayout.OUTPUT + 1,
        description = "Print what was measured as one JSON object.")
    private boolean json;

    @Mixin
    private QuietOption quiet;

    @Spec
    private CommandSpec spec;

    public CacheCalibrateCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    private record Result(String model, String file, double psnr, int prompts, List<RowResult> rows,
        List<LevelResult> levels, List<RowResult> pictureRows, List<LevelResult> pictureLevels) {
    }

    private record LevelResult(double score, int extraWords, double part) {
        static List<LevelResult> of(List<Level> levels) {
            return levels.stream().map(it -> new LevelResult(it.score(), it.extraWords(), it.part())).toList();
        }
    }

    /** @param score the least that is enough; null if none is */
    private record RowResult(int extraWords, double part, int pairs, double decibels, double worst,
        double similarity, Double score) {
        static RowResult of(Row row) {
            return new RowResult(row.extraWords(), row.part(), row.pairs(), row.decibels(), row.worst(),
                row.similarity(), row.enough().isPresent() ? Double.valueOf(row.enough().getAsDouble()) : null);
        }
    }

    @Override
    public Integer call() throws IOException {
        OptionalInt steps = sampling.apply(ImageRequest.of("")).steps();
        if (seeds < 1 || seeds > MOST_SEEDS || steps.isPresent()
            && (steps.getAsInt() < LEAST_STEPS || steps.getAsInt() > MOST_STEPS)) {
            throw new InputException("--seeds takes 1 to " + MOST_SEEDS + ", and --steps " + LEAST_STEPS + " to "
                + MOST_STEPS + ", not " + seeds + steps.stream().mapToObj(it -> " and " + it).findFirst().orElse(""));
        }
        if (!(psnr > 0 && psnr <= Likeness.IDENTICAL)) {
            throw new InputException("--psnr takes more than 0 and at most " + Math.round(Likeness.IDENTICAL)
                + " dB, not " + psnr + "; 30 is usual");
        }
        Path path = ModelPath.of(model, terminal.environment());
        Path file = output == null ? LatentThresholds.beside(path) : output;
        ResultFiles.checkWritable("--output", List.of(file));
        LatentTrial latents = new LatentTrial();
        PromptGroups groups = groups(path);
        LatentTrials trials = new LatentTrials(latents, groups, seeds,
            prompt -> sampling.apply(ImageRequest.of(prompt)));
        DenoiserGraph denoiser;
        NoiseTable noise;
        ImageRequest completed;
        try (PipelineSpec paper = pipeline(path).spec()) {
            if (paper.makesVideos()) {
                throw new InputException(model + " makes videos, and what is measured is for pictures");
            }
            ImageRequest any = sampling.apply(
                ImageRequest.of(groups.groups().getFirst().prompts().getFirst()));
            denoiser = paper.unwrap(any, PartitionedDenoiser.class).denoiser();
            noise = paper.unwrap(any, NoiseTable.class);
            completed = paper.completed(any);
        }
        Found found;
        try (Interruption interruption = Interruption.onShutdown(terminal.complaints(json));
            ProgressDisplay display = new ProgressDisplay(terminal, !json && !quiet.isQuiet(), true)) {
            found = trials.run(() -> pipeline(path).latents(latents).open(), interruption, display);
        }
        Thresholds thresholds = new Thresholds(found.midst().levels(psnr), found.finished().levels(psnr));
        String name = String.valueOf(path.toAbsolutePath().normalize().getFileName());
        LatentThresholds.write(file, name, denoiser, thresholds, new Measured(noise.name(),
            completed.steps().orElseThrow(), completed.guidance().orElseThrow(),
            found.midst().pairs().size() + found.finished().pairs().size(), psnr));
        print(name, file, groups, found, thresholds);
        return ExitCode.OK;
    }

    private DiffusionPipeline.Builder pipeline(Path path) {
        DiffusionPipeline.Builder pipeline = devices.apply(DiffusionPipeline.of(path).prefer("exact"))
            .precision(precision.precision().type());
        return GeneralOptions.of(spec).flatMap(GeneralOptions::modelConfig).map(pipeline::config).orElse(pipeline);
    }

    private PromptGroups groups(Path path) {
        Path own = ModelSource.beside(path, ModelFile.PROMPTS);
        return prompts != null ? PromptGroups.read(prompts)
            : Files.exists(own) ? PromptGroups.read(own) : PromptGroups.everyday();
    }

    private void print(String name, Path file, PromptGroups groups, Found found, Thresholds thresholds) {
        List<Row> midst = found.midst().rows(psnr);
        List<Row> finished = found.finished().rows(psnr);
        if (json) {
            terminal.out().println(Json.text(new Result(name, file.toString(), psnr, groups.prompts(), results(midst),
                LevelResult.of(thresholds.levels()), results(finished), LevelResult.of(thresholds.finished()))));
        } else if (!quiet.isQuiet()) {
            terminal.out().println("from latents of the midst:\n" + table(midst));
            terminal.out().println("from finished pictures, with fresh noise:\n" + table(finished));
            terminal.out().println(LEGEND);
            terminal.out().println(outcome(file, thresholds));
        }
    }

    private static List<RowResult> results(List<Row> rows) {
        return rows.stream().map(RowResult::of).toList();
    }

    private static String table(List<Row> rows) {
        Table table = new Table().right("extra words").right("left out").right("pairs").right("dB").right("worst")
            .right("SSIM").right("score");
        rows.forEach(row -> table.row(row.extraWords(), percent(row.part()), row.pairs(),
            Table.number("%.1f", row.decibels()), Table.number("%.1f", row.worst()),
            Table.number("%.3f", row.similarity()), row.enough().isPresent()
                ? Table.number("%.4f", row.enough().getAsDouble()) : "none"));
        return table.toString();
    }

    private static String percent(double part) {
        return Math.round(part * 100) + " %";
    }

    private String outcome(Path file, Thresholds thresholds) {
        double midst = most(thresholds.levels());
        double finished = most(thresholds.finished());
        return midst > 0 || finished > 0 ? file + " lets pictures leave out up to " + percent(midst)
            + " of their steps, and up to " + percent(finished) + " on finished pictures (--cache-pictures)"
            : file + " lets nothing go on from others: no score was enough for nine of ten pictures to keep "
                + Table.number("%.0f", psnr) + " dB. The tables say what is kept; a lower --psnr lets more through, "
                + "and more prompts (--prompts) or --seeds tell more";
    }

    private static double most(List<Level> levels) {
        return levels.stream().mapToDouble(Level::part).max().orElse(0);
    }
}
