package dev.slipstream.samples.verify;

import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.DeviceUnavailableException;
import dev.slipstream.bridge.Devices;
import dev.slipstream.pipelines.diffusion.denoise.Denoiser;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.model.folder.ComponentFormat;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.LoopObserver;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.program.Decision;
import dev.slipstream.samples.options.ComponentFormatConverter;
import dev.slipstream.samples.options.PrecisionOption;
import dev.slipstream.samples.reference.LoopInputs;
import dev.slipstream.samples.reference.ReferenceCase;
import dev.slipstream.samples.reference.ReferenceFolder;
import dev.slipstream.samples.reference.Tolerance;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.InputException;
import dev.slipstream.samples.terminal.Json;
import dev.slipstream.samples.terminal.Terminal;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Runs the cases of a reference folder and compares every step. Exits with 1 if a case differs. */
@Command(name = "verify", customSynopsis = "slipstream verify [OPTIONS] (DIR | --schedules FILE)",
    description = {
        "Compares latents, step by step, with those of a reference implementation.",
        "Each case of the folder runs as a plan on devices of its own. The exit code is 1 if one differs."},
    footer = {"",
        "Examples:",
        "  slipstream verify DIR",
        "  slipstream verify DIR --device cuda --precision fp16 --tolerance 0.05",
        "  slipstream verify --schedules schedules.json"})
public final class VerifyCommand implements Callable<Integer> {
    private final Terminal terminal;

    @ArgGroup(multiplicity = "1")
    private Reference reference;

    /** What to compare: one of the two. */
    private static final class Reference {
        @Parameters(paramLabel = "DIR",
            description = "Folder with unet/ or transformer/, scheduler-NAME/, inputs.safetensors, cases.json and "
                + "expected.safetensors.")
        private Path folder;

        @Option(names = "--schedules", order = HelpLayout.OWN + 1, paramLabel = "FILE",
            description = "Compare noise schedulers alone, without a denoiser, with a table of what those of a "
                + "reference implementation give: configs and cases.")
        private Path schedules;
    }

    @Option(names = "--models", order = HelpLayout.OWN + 5, paramLabel = "ROOT",
        description = "Where models are that cases.json names, if they are not there where it stands (the nearest "
            + "folder above that has reference/).")
    private Optional<Path> models = Optional.empty();

    @Option(names = "--tolerance", order = HelpLayout.OWN + 2, paramLabel = "X",
        description = "Largest difference that passes (what cases.json says, else 1e-4).")
    private Optional<Double> tolerance = Optional.empty();

    @Option(names = "--json", order = HelpLayout.OUTPUT, description = "Print a JSON list instead of a table.")
    private boolean json;

    @Option(names = "--case", order = HelpLayout.OWN + 3, paramLabel = "NAME",
        description = "Run this case only; may be given several times.")
    private List<String> names = new ArrayList<>();

    @Option(names = "--device", order = HelpLayout.DEVICES, paramLabel = "SPEC", defaultValue = "cpu:1",
        description = "What the cases run on: cpu:THREADS or cuda (${DEFAULT-VALUE}); opened as "
            + "often as a case needs.")
    private String device;

    @Mixin
    private PrecisionOption precision;

    @Option(names = "--from", order = HelpLayout.OWN + 4, paramLabel = "FORM",
        converter = ComponentFormatConverter.class,
        completionCandidates = ComponentFormatConverter.Names.class,
        description = "What the denoiser is read from: onnx (model.onnx) or checkpoint (safetensors and config.json, "
            + "from which the graph is written). Without it, the graph if there is one.")
    private Optional<ComponentFormat> format = Optional.empty();

    public VerifyCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        return reference.schedules != null ? compareSchedules(reference.schedules) : compareLatents(reference.folder);
    }

    private int compareSchedules(Path file) {
        List<ScheduleCase.Result> results = ScheduleTable.read(file).run(names);
        terminal.out().print(json ? ScheduleTable.json(results) + System.lineSeparator()
            : ScheduleTable.text(results));
        return results.stream().allMatch(ScheduleCase.Result::agrees) ? ExitCode.OK : ExitCode.FAILED;
    }

    private int compareLatents(Path folder) {
        tolerance.filter(most -> !(most >= 0 && most < Double.POSITIVE_INFINITY)).ifPresent(most -> {
            throw new InputException("--tolerance takes a number from 0 up, not " + most + "; 1e-4 is usual");
        });
        try (ReferenceFolder opened = ReferenceFolder.open(folder, models, format, precision.precision())) {
            opened.unnamed().forEach(key -> terminal.err().println("not compared: expected.safetensors has \"" + key
                + "\", which cases.json does not list"));
            List<ReferenceCase> chosen = opened.cases(names);
            Tolerance allowed = tolerance.map(Tolerance::absolute).orElseGet(opened::tolerance);
            // Wrong files are reported before engines are built.
            for (ReferenceCase wanted : chosen) {
                opened.checkCut(wanted);
                opened.expected(wanted, opened.loop(wanted).latents().shape());
            }
            chosen.stream().map(ReferenceCase::scheduler).distinct()
                .forEach(name -> opened.differences(name).forEach(terminal.err()::println));
            List<CaseResult> results = new ArrayList<>(run(opened, chosen, allowed));
            opened.unknown(names).forEach((name, kind) -> {
                terminal.err().println("not run: " + name + " is of kind " + kind);
                results.add(CaseResult.unknown(name));
            });
            terminal.out().print(json ? CaseResult.json(results) + System.lineSeparator()
                : CaseResult.table(results, allowed));
            return results.stream().allMatch(CaseResult::passed) ? ExitCode.OK : ExitCode.FAILED;
        }
    }

    private List<CaseResult> run(ReferenceFolder opened, List<ReferenceCase> chosen, Tolerance allowed) {
        if (chosen.isEmpty()) {
            return List.of();
        }
        int most = chosen.stream().mapToInt(ReferenceCase::devices).max().orElse(1);
        try (CaseRunner runner = CaseRunner.open(opened, DeviceSpec.parse(device), most)) {
            return chosen.stream().map(it -> runner.run(it, allowed)).toList();
        }
    }

    /**
     * The verdict on a case.
     *
     * @param difference largest absolute difference of an element in the step that comes nearest to what is allowed, or
     *     goes farthest beyond it; NaN if some latents are not numbers
     * @param step that step, counted from 1; 0 if the case was not run, as it is of a kind that is not known
     * @param decisions what was decided otherwise than by the reference implementation; empty where nothing was
     */
    record CaseResult(String name, double difference, int step, boolean passed, String decisions) {
        /** One of a kind that is not known, which therefore does not pass. */
        static CaseResult unknown(String name) {
            return new CaseResult(name, Double.NaN, 0, false, "");
        }

        private boolean isKnown() {
            return step > 0;
        }

        /** @param expected latents after each step; likewise {@code actual}, of the same sizes */
        static CaseResult compare(String name, List<float[]> expected, List<float[]> actual, Tolerance tolerance) {
            CaseResult worst = new CaseResult(name, 0, 1, true, "");
            double part = 0;
            for (int step = 0; step < expected.size() && !Double.isNaN(worst.difference); step++) {
                double difference = difference(expected.get(step), actual.get(step));
                double allowed = tolerance.of(largest(expected.get(step)));
                double reached = difference == 0 ? 0 : difference / allowed;
                if (!(reached <= part)) {
                    part = reached;
                    worst = new CaseResult(name, difference, step + 1, worst.passed && difference <= allowed, "");
                }
            }
            return worst;
        }

        /** The verdict on latents and on decisions. @param computed the steps at which each part ran, from 0 */
        CaseResult and(List<List<Integer>> expected, List<List<Integer>> computed) {
            return expected.equals(computed) ? this
                : new CaseResult(name, difference, step, false, "computed at " + computed + ", not at " + expected);
        }

        private static double largest(float[] latents) {
            double largest = 0;
            for (float latent : latents) {
                largest = Math.max(largest, Math.abs(latent));
            }
            return largest;
        }

        /** NaN if an element of either is not a number: such latents never agree. */
        private static double difference(float[] expected, float[] actual) {
            if (expected.length != actual.length) {
                throw new IllegalArgumentException(
                    expected.length + " numbers cannot be compared with " + actual.length);
            }
            double largest = 0;
            for (int i = 0; i < expected.length; i++) {
                double difference = Math.abs((double) expected[i] - actual[i]);
                if (Double.isNaN(difference)) {
                    return Double.NaN;
                }
                largest = Math.max(largest, difference);
            }
            return largest;
        }

        /** A table with a line for each case. */
        static String table(List<CaseResult> results, Tolerance tolerance) {
            int width = results.stream().mapToInt(result -> result.name().length()).max().orElse(0);
            StringBuilder text = new StringBuilder(
                String.format(Locale.ROOT, "%-" + Math.max(width, 4) + "s  %-12s %5s  %s%n", "case", "largest diff",
                    "step",
                    "verdict"));
            for (CaseResult result : results) {
                text.append(String.format(Locale.ROOT, "%-" + Math.max(width, 4) + "s  %12s %5s  %s%n", result.name(),
                    result.shownDifference(), result.isKnown() ? result.step() : "-", result.verdict()));
            }
            long unknown = results.stream().filter(result -> !result.isKnown()).count();
            long failed = results.stream().filter(result -> !result.passed()).count() - unknown;
            text.append(String.format(Locale.ROOT, failed == 0 ? "%d of %d cases agree within %s"
                : "%d of %d cases differ by more than %s", failed == 0 ? results.size() - unknown : failed,
                results.size(), tolerance));
            text.append(unknown == 0 ? "" : "; " + unknown + " cannot be compared yet").append(System.lineSeparator());
            return text.toString();
        }

        private String shownDifference() {
            return !isKnown() ? "-" : Double.isNaN(difference) ? "NaN"
                : String.format(Locale.ROOT, "%.2e", difference);
        }

        private String verdict() {
            return !isKnown() ? "NOT KNOWN" : passed ? "passed" : ("FAILED " + decisions).strip();
        }

        /**
         * A list of {@code {case, max_abs_diff, step, passed}}; a difference that is no number is {@code null}. Where
         * decisions differ, {@code decisions} says how.
         */
        static String json(List<CaseResult> results) {
            JsonArray list = new JsonArray();
            for (CaseResult result : results) {
                JsonObject entry = new JsonObject();
                entry.addProperty("case", result.name());
                if (Double.isFinite(result.difference())) {
                    entry.addProperty("max_abs_diff", result.difference());
                } else {
                    entry.add("max_abs_diff", JsonNull.INSTANCE);
                }
                entry.addProperty("step", result.step());
                entry.addProperty("passed", result.passed());
                if (!result.decisions().isEmpty()) {
                    entry.addProperty("decisions", result.decisions());
                }
                list.add(entry);
            }
            return Json.tree(list);
        }
    }

    /** Runs the loop of a folder with any plan, on devices of its own. One thread at a time. */
    static final class CaseRunner implements AutoCloseable {
        private final ReferenceFolder folder;
        private final List<Device> devices;

        private CaseRunner(ReferenceFolder folder, List<Device> devices) {
            this.folder = folder;
            this.devices = devices;
        }

        /**
         * Opens devices of a kind: on the CPU as many as asked for; of another provider what the machine has, up to
         * that number, since results do not depend on how many there are. A plan for more runs on all of them.
         */
        static CaseRunner open(ReferenceFolder folder, DeviceSpec kind, int most) {
            return new CaseRunner(folder, openAll(kind, most));
        }

        private static List<Device> openAll(DeviceSpec kind, int most) {
            Devices all = Devices.discover();
            if (kind.provider().equals(DeviceSpec.HOST.provider())) {
                return all.open(Collections.nCopies(most, kind));
            }
            String provider = kind.provider();
            List<DeviceSpec> present = new ArrayList<>();
            for (DeviceProvider it : all.providers()) {
                if (it.name().equals(provider)) {
                    present.addAll(it.list());
                }
            }
            if (present.isEmpty()) {
                // This throws, and says why there is none.
                all.open(new DeviceSpec(provider, "0")).close();
                throw new DeviceUnavailableException("provider " + provider + " lists no device");
            }
            return all.open(present.subList(0, Math.min(most, present.size())));
        }

        /** Compares a case, step by step. */
        CaseResult run(ReferenceCase wanted, Tolerance tolerance) {
            LoopInputs inputs = folder.loop(wanted);
            List<float[]> expected = folder.expected(wanted, inputs.latents().shape());
            Ran ran = run(inputs, wanted.strategy(), wanted.devices(), folder.noise(wanted.scheduler()));
            return CaseResult.compare(wanted.name(), expected, ran.latents(), tolerance)
                .and(wanted.computed(), ran.computed());
        }

        /** What a loop did. @param computed at which steps each part ran about which is decided */
        private record Ran(List<float[]> latents, List<List<Integer>> computed) {
        }

        /** The latents after each step, with the folder's usual inputs. */
        List<float[]> latents(Strategy strategy, int most, NoiseTable noise) {
            return run(folder.loop(), strategy, most, noise).latents();
        }

        private Ran run(LoopInputs inputs, Strategy strategy, int most, NoiseTable noise) {
            List<Device> used = devices.subList(0, Math.min(most, devices.size()));
            PartitionedDenoiser partitioned =
                PartitionedDenoiser.of(folder.model(), inputs.shape(), strategy, used.size());
            try (Denoiser denoiser = Denoiser.build(partitioned, used);
                Execution execution = denoiser.prepare(noise, folder.guidance(), true, false);
                Arena arena = Arena.ofShared()) {
                execution.run(inputs.given(noise.initialScale(), arena), LoopObserver.NONE);
                MemorySegment latents = arena.allocate(inputs.shape().latents().bytes(), 64);
                List<float[]> steps = new ArrayList<>();
                for (int step = 0; step < noise.steps(); step++) {
                    execution.latents(step, latents);
                    steps.add(latents.toArray(ValueLayout.JAVA_FLOAT));
                }
                return new Ran(steps, execution.outcomes().values().stream()
                    .map(outcomes -> computed(outcomes, noise.steps())).toList());
            }
        }

        /** Steps at which nothing is decided are among them. */
        private static List<Integer> computed(List<Decision.Outcome> outcomes, int steps) {
            List<Integer> computed = new ArrayList<>(IntStream.range(0, steps).boxed().toList());
            outcomes.stream().filter(outcome -> !outcome.runs()).forEach(outcome ->
                computed.remove(Integer.valueOf(outcome.step())));
            return computed;
        }

        @Override
        public void close() {
            devices.reversed().forEach(Device::close);
        }
    }
}
