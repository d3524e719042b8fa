package dev.slipstream.samples.bench;

import dev.slipstream.pipelines.diffusion.Blueprint;
import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.PipelineDraft;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.diffusion.image.PngFile;
import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.samples.ConditioningOptions;
import dev.slipstream.samples.InputException;
import dev.slipstream.samples.ModelOptions;
import dev.slipstream.samples.Overwriting;
import dev.slipstream.samples.PictureOptions;
import dev.slipstream.samples.PrecisionOption;
import dev.slipstream.samples.WarningsOnce;
import java.io.IOException;
import java.io.PrintWriter;
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
        "  slipstream bench --rounds 3 --prompts 2 --seeds 1 --steps 20",
        "  slipstream bench --devices cuda:0,cuda:1"})
public final class BenchCommand implements Callable<Integer> {
    private static final int ENLARGED = 2;

    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions model;

    @Mixin
    private PictureOptions picture;

    @Mixin
    private ConditioningOptions conditioning;

    @Mixin
    private PrecisionOption precision;

    @Option(names = "--devices", paramLabel = "LIST", order = 9, split = ",",
        description = "Devices for the plans, like cuda:0,cuda:1; plans for more are left out. CPU threads without it.")
    private List<String> devices;

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
        MeasuredFile.check(json, "--json");
        MeasuredFile.check(png, "--png");
        Overwriting.refuse("--png", png, json == null ? List.of() : List.of(json));
        List<ImageRequest> requests =
            BenchPrompts.requests(prompts, seeds, steps, ImageRequest.DEFAULT_GUIDANCE).stream()
                .map(request -> picture.apply(request.withConditioning(conditioning.conditioning()))).toList();
        PrintWriter out = spec.commandLine().getOut();
        out.println(MachineFacts.line(devices == null ? List.of() : devices));
        out.flush();
        try (Contest contest = new Contest(plans(requests.getFirst()), model.path(), precision.precision(),
                new WarningsOnce(spec.commandLine().getErr()))) {
            int count = rounds == null ? requests.size() : rounds;
            contest.run(requests, count, done -> progress(done, Math.max(count, requests.size())));
            NoiseTable noise = contest.contenders().getFirst().pipeline().draft().noise(requests.getFirst());
            List<LoopProbe> probes = contest.contenders().stream()
                .map(it -> LoopProbe.of(it.plan(), it.pipeline(), requests.getFirst(), noise)).toList();
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
            Blueprint sequential = draft.blueprint(request);
            return devices == null
                ? BenchPlan.onThreads(sequential, Runtime.getRuntime().availableProcessors())
                : BenchPlan.on(devices, sequential);
        }
    }

    private void progress(int done, int all) {
        PrintWriter err = spec.commandLine().getErr();
        err.println("round " + done + " of " + all);
        err.flush();
    }

    private void write(List<BenchRow> rows, List<Contender> contenders, List<ImageRequest> requests,
        PrintWriter out) throws IOException {
        if (json != null) {
            MeasuredFile.write(json, BenchRow.json(rows));
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
}
