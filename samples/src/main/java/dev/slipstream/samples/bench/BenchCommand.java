package dev.slipstream.samples.bench;

import dev.slipstream.pipelines.cost.MachineProfile;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.PipelineSpec;
import dev.slipstream.pipelines.diffusion.calibration.QualityTable;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.diffusion.planning.PlanEvaluator.Loop;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.timeline.Timeline;
import dev.slipstream.samples.bench.PlanBenchmark.Contender;
import dev.slipstream.samples.options.ConditioningOptions;
import dev.slipstream.samples.options.ControlOptions;
import dev.slipstream.samples.options.ModelOptions;
import dev.slipstream.samples.options.PictureOptions;
import dev.slipstream.samples.options.PrecisionOption;
import dev.slipstream.samples.options.QuietOption;
import dev.slipstream.samples.options.ResultFiles;
import dev.slipstream.samples.options.SamplingOptions;
import dev.slipstream.samples.options.TimelineOptions;
import dev.slipstream.samples.options.WishOption;
import dev.slipstream.samples.predict.Question;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.InputException;
import dev.slipstream.samples.terminal.Terminal;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Compares all plans on one model. */
@Command(name = "bench", description = {
    "Compares plans on this machine: time, likeness of the pictures to the exact ones, bytes.",
    "Every round lets every plan draw the same picture once; leave the machine alone meanwhile."},
    footer = {"",
        "Examples:",
        "  slipstream bench --json bench.json --png bench.png",
        "  slipstream bench --rounds 3 --prompts 2 --seeds 1 --steps 20",
        "  slipstream bench --compare cfg-split+cache --compare cache:every=2",
        "  slipstream bench --save --rounds 1 --prompts 4 --seeds 1",
        "  slipstream bench --compare asyncdiff --steps 10 --timeline asyncdiff.svg",
        "  slipstream bench --devices cuda:0,cuda:1"})
public final class BenchCommand implements Callable<Integer> {
    private static final int ENLARGED = 2;
    private static final int MOST_REQUESTS = 1000;
    private static final int QUEUE_ROUNDS = 5;

    private final Terminal terminal;

    @Mixin
    private ModelOptions model;

    @Mixin
    private SamplingOptions sampling;

    @Mixin
    private PictureOptions picture;

    @Mixin
    private ConditioningOptions conditioning;

    @Mixin
    private ControlOptions control;

    @Mixin
    private PrecisionOption precision;

    @Option(names = "--devices", paramLabel = "LIST", order = HelpLayout.DEVICES, split = ",",
        description = "Devices for the plans, like cuda:0,cuda:1; plans for more are left out. CPU threads without it.")
    private List<String> devices;

    @Mixin
    private WishOption wish;

    @Option(names = "--compare", paramLabel = "PLAN", order = HelpLayout.OWN,
        description = "Compare only this plan, or auto, with the exact one on one device; may be given several times.")
    private List<String> compared;

    @Option(names = "--rounds", paramLabel = "N", order = HelpLayout.OWN + 1,
        description = "Timed rounds; one a picture without it.")
    private Integer rounds;

    @Option(names = "--prompts", paramLabel = "N", order = HelpLayout.OWN + 3, defaultValue = "8",
        description = "Prompts to draw, at most 8 (${DEFAULT-VALUE}).")
    private int prompts;

    @Option(names = "--seeds", paramLabel = "N", order = HelpLayout.OWN + 4, defaultValue = "2",
        description = "Seeds for each prompt (${DEFAULT-VALUE}).")
    private int seeds;

    @Option(names = "--requests", paramLabel = "N", order = HelpLayout.OWN + 5, defaultValue = "0",
        description = "Also measure how long N requests that wait take with each plan, one after another and "
            + "overlapped; 8 show it.")
    private int waiting;

    @Option(names = "--forecast", order = HelpLayout.OWN + 6,
        description = "Print how well plans are predicted by a profile that is made in turn with them, so that it is "
            + "of the machine as it is now.")
    private boolean forecast;

    @Option(names = "--profile", paramLabel = "FILE", order = HelpLayout.OWN + 6,
        description = "The same by a profile that was made before (slipstream profile).")
    private Path profile;

    @Option(names = "--save", order = HelpLayout.OWN + 7,
        description = "Keep how near the pictures of plans come to the exact ones in a file beside the model, for who "
            + "chooses plans (slipstream predict). Without --compare the plans are those that are chosen among.")
    private boolean save;

    @Option(names = "--json", paramLabel = "FILE", order = HelpLayout.OUTPUT,
        description = "Write all numbers as a JSON list.")
    private Path json;

    @Option(names = "--png", paramLabel = "FILE", order = HelpLayout.OUTPUT + 1,
        description = "Write the pictures: a row for each plan, a column for each prompt.")
    private Path png;

    @Mixin
    private TimelineOptions timelines;

    @Mixin
    private QuietOption quiet;

    public BenchCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        if (rounds != null && rounds < 1) {
            throw new InputException("--rounds takes 1 or more, not " + rounds + "; leave it out for one a picture");
        }
        if (waiting < 0 || waiting > MOST_REQUESTS) {
            throw new InputException("--requests takes 0 to " + MOST_REQUESTS + ", not " + waiting);
        }
        if (forecast && profile != null) {
            throw new InputException("--forecast makes a profile of its own; leave it out, or --profile");
        }
        Foresight.Given given = new Foresight.Given(Optional.ofNullable(profile).map(MachineProfile::read),
            devices == null ? List.of(BenchPlan.THREAD) : devices);
        BenchOutput output = new BenchOutput(terminal, json);
        if (png != null) {
            ResultFiles.checkWritable("--png", List.of(png));
        }
        ResultFiles.refuseOverwriting("--png", png, json == null ? List.of() : List.of(json));
        timelines.check(Stream.of(json, png).filter(Objects::nonNull).toList());
        Subject subject = subject();
        List<ImageRequest> requests = subject.requests;
        if (save) {
            requireSavable(requests.getFirst());
        }
        output.printMachine(devices == null ? List.of() : devices);
        try (PlanBenchmark benchmark = new PlanBenchmark(subject.plans,
            () -> wish.apply(control.apply(model.pipeline())), precision.precision(), terminal.warnings(false));
            Foresight foresight = forecast
                ? new Foresight.InTurn(question(benchmark, requests.getFirst()), model.path().toString(),
                    devices(benchmark))
                : given) {
            int count = rounds == null ? requests.size() : rounds;
            benchmark.run(requests, count, done -> progress(done, Math.max(count, requests.size())));
            NoiseTable noise = benchmark.noise(requests.getFirst());
            List<LoopProbe> probes = benchmark.probes(requests.getFirst(), noise, count, foresight);
            List<QueueRow> queues = benchmark.queues(requests, waiting, QUEUE_ROUNDS);
            List<BenchRow> rows = benchmark.rows(probes, queues);
            ImageRequest any = requests.getFirst();
            terminal.out().println(count + " rounds, " + requests.size() + " pictures of "
                + any.width().orElseThrow() + "x" + any.height().orElseThrow() + ", " + noise.steps()
                + " steps, guidance " + any.guidance().orElse(1) + ", noise scheduler " + noise.name() + ", "
                + precision.precision() + "; load average now " + BenchOutput.load());
            terminal.out().println();
            terminal.out().print(BenchRow.table(rows));
            if (!queues.isEmpty()) {
                terminal.out().println();
                terminal.out().print(QueueRow.table(rows.stream().map(BenchRow::plan).toList(), queues));
            }
            foresight.table(rows, devices(benchmark), question(benchmark, requests.getFirst()))
                .ifPresent(table -> terminal.out().println("\n" + table));
            output.write(rows);
            if (save) {
                save(rows, benchmark, requests.getFirst());
            }
            timelines(benchmark.contenders(), probes);
            if (png != null) {
                writePictures(rows, benchmark.contenders(), requests);
            }
        }
        return ExitCode.OK;
    }

    /** Those of the plans, with threads as many as the largest takes. */
    private List<String> devices(PlanBenchmark benchmark) {
        return devices != null ? devices : Collections.nCopies(benchmark.contenders().stream()
            .mapToInt(it -> it.plan().devices().size()).max().orElseThrow(), BenchPlan.THREAD);
    }

    private static Question question(PlanBenchmark benchmark, ImageRequest request) {
        return Question.of(benchmark.contenders().getFirst().pipeline().spec(), request);
    }

    private void timelines(List<Contender> contenders, List<LoopProbe> probes) throws IOException {
        Map<String, Timeline> runs = new LinkedHashMap<>();
        for (int i = 0; i < probes.size(); i++) {
            runs.put(contenders.get(i).plan().label(), probes.get(i).timeline());
        }
        timelines.write(runs).forEach((what, file) -> terminal.out().println(what + ": " + file));
    }

    /** @param requests completed */
    private record Subject(List<ImageRequest> requests, List<BenchPlan> plans) {
    }

    private Subject subject() {
        try (PipelineSpec spec = control.apply(model.pipeline()).devices("cpu:1").spec()) {
            List<ImageRequest> requests = PlanBenchmark.requests(prompts, seeds).stream().map(request ->
                spec.completed(sampling.apply(control.apply(picture.apply(
                    request.withConditioning(conditioning.conditioning())))))).toList();
            int steps = requests.getFirst().steps().orElseThrow();
            if (steps < 2) {
                throw new InputException("--steps takes 2 or more here, not " + steps + "; 50 is usual");
            }
            return new Subject(requests, plans(spec, requests.getFirst()));
        }
    }

    private List<BenchPlan> plans(PipelineSpec spec, ImageRequest request) {
        if (compared != null) {
            return BenchPlan.compared(compared, devices);
        }
        PartitionedDenoiser sequential = spec.unwrap(request, PartitionedDenoiser.class);
        if (save) {
            return BenchPlan.candidates(sequential, spec.unwrap(request, NoiseTable.class).steps(), devices);
        }
        return devices == null
            ? BenchPlan.onThreads(sequential, Runtime.getRuntime().availableProcessors())
            : BenchPlan.on(devices, sequential);
    }

    /** Before anything is measured: a table of another model, or one that cannot be written, would be a pity later. */
    private void requireSavable(ImageRequest request) {
        if (!control.isEmpty()) {
            throw new InputException("--save keeps what is measured of the model as it is; leave out ControlNets and "
                + "--skip-layers");
        }
        ResultFiles.checkWritable("--model", List.of(QualityTable.beside(model.path())));
        try (PipelineSpec spec = model.pipeline().devices("cpu:1").spec()) {
            QualityTable.of(model.path(), spec.unwrap(request, PartitionedDenoiser.class).denoiser());
        }
    }

    private void save(List<BenchRow> rows, PlanBenchmark benchmark, ImageRequest request) throws IOException {
        Loop loop = question(benchmark, request).loop();
        List<QualityTable.Row> measured = new ArrayList<>();
        for (int i = 0; i < rows.size(); i++) {
            measured.add(rows.get(i).quality(loop.setting(), benchmark.contenders().get(i).pipeline().spec()
                .unwrap(request, PartitionedDenoiser.class).plan().strategy()));
        }
        Path file = QualityTable.beside(model.path());
        QualityTable.of(model.path(), loop.denoiser()).with(measured).write(file);
        terminal.out().println("quality: " + file);
    }

    private void progress(int done, int all) {
        if (!quiet.isQuiet()) {
            terminal.err().println("round " + done + " of " + all);
        }
    }

    private void writePictures(List<BenchRow> rows, List<Contender> contenders, List<ImageRequest> requests) {
        List<List<Image>> grid = contenders.stream().map(it -> it.pictures().subList(0, prompts)).toList();
        Image.grid(grid).enlarged(ENLARGED).write(png);
        terminal.out().println("pictures: " + png + "; rows from top to bottom: "
            + String.join(" | ", rows.stream().map(BenchRow::plan).toList()));
        terminal.out().println("columns from left to right, seed 0: "
            + String.join(" | ", requests.subList(0, prompts).stream().map(ImageRequest::prompt).toList()));
    }
}
