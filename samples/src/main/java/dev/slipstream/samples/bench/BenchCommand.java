package dev.slipstream.samples.bench;

import dev.slipstream.bridge.file.AtomicFile;
import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.PipelineDraft;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.diffusion.image.PngFile;
import dev.slipstream.pipelines.diffusion.noise.NoiseScheduler;
import dev.slipstream.pipelines.model.ConfigFile;
import dev.slipstream.pipelines.model.ModelFolder;
import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.samples.InputException;
import dev.slipstream.samples.ModelOptions;
import dev.slipstream.samples.PrecisionOption;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Compares all plans on one model. */
@Command(name = "bench", description = {
    "Compares plans on this machine: time, likeness of the pictures to the exact ones, bytes.",
    "Every round lets every plan draw the same picture once; leave the machine alone meanwhile."},
    footer = {"",
        "Examples:",
        "  slipstream bench --json bench.json --png bench.png",
        "  slipstream bench --rounds 3 --prompts 2 --seeds 1 --steps 20"})
public final class BenchCommand implements Callable<Integer> {
    private static final int ENLARGED = 2;

    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions model;

    @Mixin
    private PrecisionOption precision;

    @Option(names = "--rounds", paramLabel = "N", order = 10,
        description = "Timed rounds; one a picture without it.")
    private Integer rounds;

    @Option(names = "--steps", paramLabel = "N", order = 11, defaultValue = "" + ImageRequest.DEFAULT_STEPS,
        description = "Denoising steps (${DEFAULT-VALUE}), at least 2.")
    private int steps;

    @Option(names = "--prompts", paramLabel = "N", order = 12, defaultValue = "8",
        description = "Prompts to draw, at most 8 (${DEFAULT-VALUE}).")
    private int prompts;

    @Option(names = "--seeds", paramLabel = "N", order = 13, defaultValue = "2",
        description = "Seeds for each prompt (${DEFAULT-VALUE}).")
    private int seeds;

    @Option(names = "--json", paramLabel = "FILE", order = 20, description = "Write all numbers as a JSON list.")
    private Path json;

    @Option(names = "--png", paramLabel = "FILE", order = 21,
        description = "Write the pictures: a row for each plan, a column for each prompt.")
    private Path png;

    @Override
    public Integer call() throws IOException {
        if (steps < 2) {
            throw new InputException("--steps takes 2 or more here, not " + steps + "; 50 is usual");
        }
        if (rounds != null && rounds < 1) {
            throw new InputException("--rounds takes 1 or more, not " + rounds + "; leave it out for one a picture");
        }
        checkWritable(json, "--json");
        checkWritable(png, "--png");
        List<ImageRequest> requests =
            BenchPrompts.requests(prompts, seeds, steps, ImageRequest.DEFAULT_GUIDANCE);
        PrintWriter out = spec.commandLine().getOut();
        out.println(MachineFacts.line());
        out.flush();
        try (Contest contest = new Contest(plans(requests.getFirst()), model.path(), precision.precision())) {
            int count = rounds == null ? requests.size() : rounds;
            contest.run(requests, count, done -> progress(done, Math.max(count, requests.size())));
            NoiseTable noise = noise();
            List<LoopProbe> probes = contest.contenders().stream()
                .map(it -> LoopProbe.of(it.pipeline(), requests.getFirst(), noise)).toList();
            List<BenchRow> rows = BenchRow.of(contest.contenders(), probes);
            out.println(count + " rounds, " + requests.size() + " pictures, " + steps + " steps, guidance "
                + ImageRequest.DEFAULT_GUIDANCE + ", noise scheduler " + noise.name() + ", "
                + precision.precision() + "; load average now " + MachineFacts.load());
            out.println();
            out.print(BenchTable.of(rows));
            write(rows, contest.contenders(), requests, out);
        }
        return 0;
    }

    private List<BenchPlan> plans(ImageRequest request) {
        try (PipelineDraft draft = DiffusionPipeline.of(model.path()).draft()) {
            return BenchPlan.all(draft.blueprint(request), Runtime.getRuntime().availableProcessors());
        }
    }

    private NoiseTable noise() {
        ConfigFile config = ModelFolder.open(model.path()).noiseScheduler();
        return NoiseScheduler.parse(config.root().toString(), config.path().toString()).table(steps);
    }

    private void progress(int done, int all) {
        PrintWriter err = spec.commandLine().getErr();
        err.println("round " + done + " of " + all);
        err.flush();
    }

    private void write(List<BenchRow> rows, List<Contender> contenders, List<ImageRequest> requests,
        PrintWriter out) throws IOException {
        if (json != null) {
            ByteBuffer text = ByteBuffer.wrap((BenchRow.json(rows) + "\n").getBytes(StandardCharsets.UTF_8));
            AtomicFile.write(json, channel -> {
                while (text.hasRemaining()) {
                    channel.write(text);
                }
            });
            out.println("numbers: " + json);
        }
        if (png != null) {
            List<List<Image>> grid = contenders.stream().map(it -> it.pictures().subList(0, prompts)).toList();
            PngFile.write(png, Image.grid(grid).enlarged(ENLARGED), Map.of());
            out.println("pictures: " + png + "; rows from top to bottom: "
                + String.join(" | ", rows.stream().map(BenchRow::plan).toList()));
            out.println("columns from left to right, seed 0: "
                + String.join(" | ", requests.subList(0, prompts).stream().map(ImageRequest::prompt).toList()));
        }
    }

    /** Before minutes are spent. */
    private static void checkWritable(Path file, String option) {
        if (file != null) {
            try {
                AtomicFile.checkWritable(file);
            } catch (IOException unwritable) {
                throw new InputException(unwritable.getMessage() + "; choose another " + option, unwritable);
            }
        }
    }
}
