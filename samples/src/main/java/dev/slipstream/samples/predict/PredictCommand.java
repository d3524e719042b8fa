package dev.slipstream.samples.predict;

import dev.slipstream.bridge.Devices;
import dev.slipstream.pipelines.cost.DeviceRates.Basis;
import dev.slipstream.pipelines.cost.Hardware;
import dev.slipstream.pipelines.cost.MachineProfile;
import dev.slipstream.pipelines.diffusion.planning.Candidates.Candidate;
import dev.slipstream.pipelines.diffusion.planning.Candidates;
import dev.slipstream.pipelines.diffusion.planning.Choice;
import dev.slipstream.pipelines.diffusion.planning.PipelineSite;
import dev.slipstream.pipelines.diffusion.planning.PlanEvaluator.Forecasts;
import dev.slipstream.pipelines.diffusion.planning.PlanEvaluator.Site;
import dev.slipstream.pipelines.diffusion.planning.PlanEvaluator;
import dev.slipstream.pipelines.diffusion.planning.PlanForecast;
import dev.slipstream.pipelines.diffusion.planning.Preference;
import dev.slipstream.pipelines.diffusion.planning.QueueForecast;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.samples.options.DeviceOptions;
import dev.slipstream.samples.options.HollowModel;
import dev.slipstream.samples.options.ModelOptions;
import dev.slipstream.samples.options.PrecisionOption;
import dev.slipstream.samples.options.RequestOptions;
import dev.slipstream.samples.terminal.Amounts;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.InputException;
import dev.slipstream.samples.terminal.Json;
import dev.slipstream.samples.terminal.Table;
import dev.slipstream.samples.terminal.Terminal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.stream.Stream;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Predicts what plans would take. */
@Command(name = "predict", description = {
    "Predicts what every plan would take on GPUs that need not be there, and which one to take.",
    "Each plan is run in virtual time, with times from data sheets: estimates, good for comparing plans."},
    footer = {"",
        "Examples:",
        "  slipstream predict --like sdxl --gpus 4xRTX4090 --link pcie4 --precision fp16",
        "  slipstream predict --like sd15 --gpus 2xL4 --steps 30 --prefer exact",
        "  slipstream predict --gpus A100",
        "  slipstream predict --like sdxl --gpus 2xA100 --compare asyncdiff --compare asyncdiff:cut=lean"})
public final class PredictCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Mixin
    private ModelOptions model;

    @Option(names = "--like", paramLabel = "FAMILY", order = HelpLayout.MODEL + 1,
        completionCandidates = HollowModel.Families.class,
        description = "A model like those of this family in real size, in place of --model; no weights are needed: "
            + "${COMPLETION-CANDIDATES}.")
    private String family;

    @Mixin
    private RequestOptions request;

    @Mixin
    private PrecisionOption precision;

    @ArgGroup(multiplicity = "1")
    private Machine machine;

    /** What plans are predicted for; one of them. */
    private static final class Machine {
        @Option(names = "--gpus", paramLabel = "LIST", order = HelpLayout.DEVICES,
            completionCandidates = Gpus.class,
            description = "GPUs in the plan's order, like 4xRTX4090 or A100,2xL4: ${COMPLETION-CANDIDATES}.")
        private String gpus;

        @Option(names = "--profile", paramLabel = "FILE", order = HelpLayout.DEVICES + 4,
            description = "Devices that were measured with this model: a file of slipstream profile.")
        private Path profile;
    }

    @Option(names = "--link", paramLabel = "NAME", order = HelpLayout.DEVICES + 1, defaultValue = "pcie4",
        completionCandidates = Links.class,
        description = "What connects them (${DEFAULT-VALUE}): ${COMPLETION-CANDIDATES}.")
    private String link;

    @Option(names = "--prefer", paramLabel = "WISH", order = HelpLayout.DEVICES + 2, defaultValue = "balanced",
        description = "exact: nothing is given up for speed; balanced: pictures that one has to compare to see a "
            + "difference; fast: pictures of the same kind (${DEFAULT-VALUE}).")
    private String wish;

    @Option(names = "--psnr", paramLabel = "DB", order = HelpLayout.DEVICES + 3,
        description = "Least likeness of pictures to the exact ones, where slipstream bench --save has measured the "
            + "plan; 40 without it, or 30 with --prefer fast. Other plans are judged by the age of their values.")
    private Double psnr;

    @Option(names = "--compare", paramLabel = "PLAN", order = HelpLayout.OWN,
        description = "Predict only this plan, on as many of the devices as it takes, beside one device as it is; may "
            + "be given several times.")
    private List<String> compared = List.of();

    @Option(names = "--json", order = HelpLayout.OUTPUT, description = "Print one JSON object.")
    private boolean json;

    public PredictCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    private static final class Gpus implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Hardware.gpus().iterator();
        }
    }

    private static final class Links implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Hardware.links().iterator();
        }
    }

    @Override
    public Integer call() {
        Preference preference = preference();
        Site site = site();
        try (PaperModel paper = family == null ? PaperModel.of(model, precision.precision())
            : PaperModel.like(family, precision.precision())) {
            Question question = paper.question(request);
            PlanEvaluator evaluator = question.evaluator(site, quality(question));
            Forecasts forecasts = evaluator.forecasts(compared.isEmpty()
                ? Candidates.of(question.subject(), site.times().size()) : compared(site.times().size()));
            requireSuitable(forecasts);
            requireMeasured(forecasts, question);
            Choice choice = Choice.of(forecasts.plans(), preference);
            QueueForecast queue = QueueForecast.of(
                evaluator.timeline(new Candidate(choice.taken().plan(), choice.taken().devices())), site.times(),
                question.keys());
            Prediction prediction =
                Prediction.of(paper.name(), question.steps(), machine.gpus != null ? machine.gpus + ", " + link
                    : machine.profile.toString(), forecasts, choice,
                    queue);
            terminal.out().println(json ? Json.text(prediction) : prediction.table());
        }
        return ExitCode.OK;
    }

    private Site site() {
        return machine.gpus != null ? Sites.of(machine.gpus, link, precision.precision())
            : PipelineSite.measured(MachineProfile.read(machine.profile), Devices.discover());
    }

    private Preference preference() {
        Preference preference;
        try {
            preference = Preference.parse(wish);
        } catch (IllegalArgumentException unknown) {
            throw new InputException("--prefer: " + unknown.getMessage());
        }
        try {
            return psnr == null ? preference : preference.withDecibels(psnr);
        } catch (IllegalArgumentException wrong) {
            throw new InputException("--psnr: " + wrong.getMessage());
        }
    }

    private Function<String, OptionalDouble> quality(Question question) {
        return family == null ? question.loop().quality(model.path()) : plan -> OptionalDouble.empty();
    }

    /** @param most devices that there are */
    private List<Candidate> compared(int most) {
        if (compared.contains(DeviceOptions.AUTO)) {
            throw new InputException("--compare " + DeviceOptions.AUTO + ": without --compare it says which is chosen");
        }
        return Stream.concat(Stream.of("sequential"), compared.stream()).distinct().map(plan -> {
            int devices = Strategy.parse(plan).usualDevices();
            if (devices > most) {
                throw new InputException("--compare " + plan + " takes " + devices + " devices, and there are " + most);
            }
            return new Candidate(plan, devices);
        }).toList();
    }

    /** Of what was named; of all that there is, most suits. */
    private void requireSuitable(Forecasts forecasts) {
        compared.stream().filter(forecasts.refused()::containsKey).findFirst().ifPresent(plan -> {
            throw new InputException("--compare " + plan + ": " + forecasts.refused().get(plan));
        });
    }

    private void requireMeasured(Forecasts forecasts, Question question) {
        if (psnr != null && forecasts.plans().stream().noneMatch(plan -> plan.decibels().isPresent())) {
            throw new InputException("--psnr: nothing was measured of this model's pictures with "
                + question.loop().setting() + "; slipstream bench --save measures it, or leave out --psnr");
        }
    }

    /**
     * What is printed; the names of the components are the keys of the JSON.
     *
     * @param basis where times are from
     * @param choice the plan to take; {@code choiceDevices} on how many devices
     * @param reason for it, in one line
     * @param requestMs what each of many waiting requests takes with it, with its prompts and pictures;
     *     {@code overlappedRequestMs} with those of others beside its loop
     * @param queue the same in words
     * @param plans fastest first
     * @param refused why other plans do not suit the model
     */
    private record Prediction(String model, int steps, String machine, String basis, String choice,
        int choiceDevices, String reason, double requestMs, double overlappedRequestMs, String queue, List<Row> plans,
        Map<String, String> refused) {

        /**
         * A plan.
         *
         * @param speedup over one device as it is
         * @param memoryBytes on the fullest device
         * @param stale share of values
         * @param age of values, in steps
         * @param psnrDb likeness to the exact pictures, if it was measured
         * @param assumed whether it is assumed at which steps a part runs, which the loop decides
         */
        private record Row(String plan, int devices, double loopMs, double speedup, double busy, long memoryBytes,
            boolean fits, long copiedBytes, double stale, double age, Double psnrDb, boolean assumed) {
            private static Row of(PlanForecast forecast, PlanForecast base) {
                return new Row(forecast.plan(), forecast.devices(), forecast.nanos() / 1e6,
                    forecast.speedUp(base), forecast.busyShare(), Collections.max(forecast.memoryBytes()),
                    forecast.fits(), forecast.copiedBytes(), forecast.staleness().share(),
                    forecast.staleness().age(), forecast.decibels().isEmpty() ? null
                        : forecast.decibels().getAsDouble(), forecast.assumed());
            }
        }

        static Prediction of(String model, int steps, String machine, Forecasts forecasts, Choice choice,
            QueueForecast queue) {
            List<Row> rows = forecasts.plans().stream().sorted(Comparator.comparingLong(PlanForecast::nanos))
                .map(forecast -> Row.of(forecast, choice.base())).toList();
            return new Prediction(model, steps, machine,
                choice.taken().basis() == Basis.ESTIMATED ? "estimated" : "measured", choice.taken().plan(),
                choice.taken().devices(), choice.reason(), queue.aloneNanos() / 1e6,
                queue.overlappedNanos() / 1e6, text(queue), rows, forecasts.refused());
        }

        private static String text(QueueForecast queue) {
            return "of many that wait, a request takes " + time(queue.aloneNanos()) + " with it (prompts "
                + time(queue.encodeNanos()) + ", loop " + time(queue.loopNanos()) + ", picture "
                + time(queue.decodeNanos()) + "), and overlapped " + time(queue.overlappedNanos())
                + ", with encoders and decoder on device " + queue.device();
        }

        private static String time(long nanos) {
            return Amounts.time(Duration.ofNanos(nanos));
        }

        String table() {
            boolean measured = plans.stream().anyMatch(row -> row.psnrDb != null);
            Table table = new Table().left("plan").right("on").right("loop").right("x").right("busy").right("memory")
                .right("copied").right("stale").right("age").right(measured ? "dB" : "").left("");
            plans.forEach(row -> table.row(row.plan, row.devices,
                Amounts.time(Duration.ofNanos(Math.round(1e6 * row.loopMs))),
                Table.number("%.2f", row.speedup), Table.number("%.0f %%", 100 * row.busy),
                Amounts.bytes(row.memoryBytes), Amounts.bytes(row.copiedBytes),
                Table.number("%.0f %%", 100 * row.stale), Table.number("%.1f", row.age),
                row.psnrDb == null ? "" : Table.number("%.1f", row.psnrDb),
                row.plan.equals(choice) && row.devices == choiceDevices ? "<" : !row.fits ? "does not fit"
                    : row.assumed ? "assumed" : ""));
            return model + " on " + machine + ", " + steps + " steps, times " + basis
                + (basis.equals("estimated") ? " from data sheets" : "") + "\n\n" + table + "\n" + reason + "\n"
                + queue;
        }
    }
}
