package dev.slipstream.samples.bench;

import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.pipelines.cost.MachineProfile;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.PipelineSpec;
import dev.slipstream.pipelines.diffusion.calibration.QualityTable;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.diffusion.planning.Candidates.Candidate;
import dev.slipstream.pipelines.diffusion.planning.PipelineSite;
import dev.slipstream.pipelines.diffusion.planning.PlanEvaluator;
import dev.slipstream.pipelines.diffusion.planning.PlanEvaluator.Loop;
import dev.slipstream.pipelines.diffusion.planning.PlanEvaluator.Site;
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
import dev.slipstream.samples.options.TimelineOptions;
import dev.slipstream.samples.predict.Question;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.InputException;
import dev.slipstream.samples.terminal.Table;
import dev.slipstream.samples.terminal.Terminal;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;
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

    @Option(names = "--compare", paramLabel = "PLAN", order = HelpLayout.OWN,
        description = "Compare only this plan, or auto, with the exact one on one device; may be given several times.")
    private List<String> compared;

    @Option(names = "--rounds", paramLabel = "N", order = HelpLayout.OWN + 1,
        description = "Timed rounds; one a picture without it.")
    private Integer rounds;

    @Option(names = "--steps", paramLabel = "N", order = HelpLayout.OWN + 2,
        defaultValue = "" + ImageRequest.DEFAULT_STEPS,
        description = "Denoising steps (${DEFAULT-VALUE}), at least 2.")
    private int steps;

    @Option(names = "--guidance", paramLabel = "W", order = HelpLayout.OWN + 2,
        defaultValue = "" + ImageRequest.DEFAULT_GUIDANCE,
        description = "Weight of the prompt (${DEFAULT-VALUE}).")
    private double guidance;

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

    @Option(names = "--profile", paramLabel = "FILE", order = HelpLayout.OWN + 6,
        description = "Print how well a profile of one-thread CPU devices (slipstream profile) predicts the plans.")
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
        if (steps < 2) {
            throw new InputException("--steps takes 2 or more here, not " + steps + "; 50 is usual");
        }
        if (rounds != null && rounds < 1) {
            throw new InputException("--rounds takes 1 or more, not " + rounds + "; leave it out for one a picture");
        }
        if (waiting < 0 || waiting > MOST_REQUESTS) {
            throw new InputException("--requests takes 0 to " + MOST_REQUESTS + ", not " + waiting);
        }
        MachineProfile machine = profile == null ? null : MachineProfile.read(profile);
        BenchOutput output = new BenchOutput(terminal, json);
        if (png != null) {
            ResultFiles.checkWritable("--png", List.of(png));
        }
        ResultFiles.refuseOverwriting("--png", png, json == null ? List.of() : List.of(json));
        timelines.check(Stream.of(json, png).filter(Objects::nonNull).toList());
        List<ImageRequest> requests =
            PlanBenchmark.requests(prompts, seeds, steps, guidance).stream()
                .map(request -> control.apply(picture.apply(request.withConditioning(conditioning.conditioning()))))
                .toList();
        if (save) {
            requireSavable(requests.getFirst());
        }
        output.printMachine(devices == null ? List.of() : devices);
        try (PlanBenchmark benchmark = new PlanBenchmark(plans(requests.getFirst()),
            () -> control.apply(model.pipeline()),
            precision.precision(), terminal.warnings(false))) {
            int count = rounds == null ? requests.size() : rounds;
            benchmark.run(requests, count, done -> progress(done, Math.max(count, requests.size())));
            NoiseTable noise = benchmark.noise(requests.getFirst());
            List<LoopProbe> probes = benchmark.probes(requests.getFirst(), noise);
            List<QueueRow> queues = benchmark.queues(requests, waiting, QUEUE_ROUNDS);
            List<BenchRow> rows = benchmark.rows(probes, queues);
            terminal.out().println(count + " rounds, " + requests.size() + " pictures, " + steps + " steps, guidance "
                + guidance + ", noise scheduler " + noise.name() + ", "
                + precision.precision() + "; load average now " + BenchOutput.load());
            terminal.out().println();
            terminal.out().print(BenchRow.table(rows));
            if (!queues.isEmpty()) {
                terminal.out().println();
                terminal.out().print(QueueRow.table(rows.stream().map(BenchRow::plan).toList(), queues));
            }
            if (machine != null) {
                terminal.out().println();
                int most = rows.stream().mapToInt(row -> row.devices().size()).max().orElseThrow();
                terminal.out().println(Foresight.table(rows, BenchPlan.THREAD,
                    Question.of(benchmark.contenders().getFirst().pipeline().spec(), requests.getFirst())
                        .evaluator(site(machine, most), plan -> OptionalDouble.empty())));
            }
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

    private void timelines(List<Contender> contenders, List<LoopProbe> probes) throws IOException {
        Map<String, Timeline> runs = new LinkedHashMap<>();
        for (int i = 0; i < probes.size(); i++) {
            runs.put(contenders.get(i).plan().label(), probes.get(i).timeline());
        }
        timelines.write(runs).forEach((what, file) -> terminal.out().println(what + ": " + file));
    }

    private List<BenchPlan> plans(ImageRequest request) {
        try (PipelineSpec spec = control.apply(model.pipeline()).devices("cpu:1").spec()) {
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
        Loop loop = Question.of(benchmark.contenders().getFirst().pipeline().spec(), request).loop();
        List<QualityTable.Row> measured = new ArrayList<>();
        for (int i = 0; i < rows.size(); i++) {
            measured.add(rows.get(i).quality(loop.setting(), benchmark.contenders().get(i).pipeline().spec()
                .unwrap(request, PartitionedDenoiser.class).plan().strategy()));
        }
        Path file = QualityTable.beside(model.path());
        QualityTable.of(model.path(), loop.denoiser()).with(measured).write(file);
        terminal.out().println("quality: " + file);
    }

    private static Site site(MachineProfile machine, int devices) {
        return PipelineSite.measured(Collections.nCopies(devices, DeviceSpec.parse(BenchPlan.THREAD)),
            Devices.discover(), machine).orElseThrow(() -> new InputException("--profile is of no " + BenchPlan.THREAD
                + "; make one with slipstream profile"));
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

    /** How well plans were predicted: what a profile says that they take beside what they took. */
    private static final class Foresight {
        private Foresight() {
        }

        /** @param measuredMs by processing time, as if each device had a core of its own */
        private record Row(String plan, int devices, double measuredMs, double predictedMs) {
            private double error() {
                return predictedMs / measuredMs - 1;
            }
        }

        /**
         * @param rows what was measured; those on devices that are not the profile's are left out
         * @param device of the profile, as the command line has it
         */
        static String table(List<BenchRow> rows, String device, PlanEvaluator evaluator) {
            List<Row> all = new ArrayList<>();
            Table table = new Table().left("plan").right("on").right("path ms").right("predicted").right("error");
            for (BenchRow row : rows) {
                if (row.devices().stream().allMatch(device::equals)) {
                    Candidate plan = new Candidate(row.spec(), row.devices().size());
                    double predicted = evaluator.forecast(plan).nanos() / 1e6;
                    all.add(new Row(row.plan(), row.devices().size(), row.criticalMs(), predicted));
                    table.row(row.plan(), row.devices().size(), Table.number("%.0f", row.criticalMs()),
                        Table.number("%.0f", predicted), Table.number("%+.1f %%", 100 * all.getLast().error()));
                }
            }
            if (all.isEmpty()) {
                return "a profile of " + device + " predicts none of these plans: all run on other devices";
            }
            return table + String.format(Locale.ROOT, "median error %.1f %%, of the speed-ups over the first row "
                + "%.1f %%; Kendall's tau of the ranking %.2f", 100 * median(all, 1), 100 * median(all,
                all.getFirst().predictedMs / all.getFirst().measuredMs), tau(all));
        }

        /** @param scale by which all were foreseen too large */
        private static double median(List<Row> rows, double scale) {
            return Spread.of(rows.stream().mapToDouble(row -> Math.abs((1 + row.error()) / scale - 1)).toArray())
                .median();
        }

        /** Of all pairs, the share that is ranked right less the share that is ranked wrong (Kendall 1938). */
        private static double tau(List<Row> rows) {
            int sum = 0;
            int pairs = 0;
            for (int one = 0; one < rows.size(); one++) {
                for (int other = 0; other < one; other++) {
                    sum += (int) Math.signum((rows.get(one).measuredMs - rows.get(other).measuredMs)
                        * (rows.get(one).predictedMs - rows.get(other).predictedMs));
                    pairs++;
                }
            }
            return pairs == 0 ? 1 : (double) sum / pairs;
        }
    }
}
