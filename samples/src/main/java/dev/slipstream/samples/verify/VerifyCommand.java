package dev.slipstream.samples.verify;

import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.pipelines.model.ComponentFormat;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.samples.InputException;
import dev.slipstream.samples.PrecisionOption;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Runs the cases of a reference folder and compares every step. Exits with 1 if a case differs. */
@Command(name = "verify", description = {"Compares latents, step by step, with those of a reference implementation.",
    "Each case of the folder runs as a plan on devices of its own. The exit code is 1 if one differs."})
public final class VerifyCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @ArgGroup(multiplicity = "1")
    private Reference reference;

    /** What is compared: one of the two. */
    private static final class Reference {
        @Parameters(paramLabel = "DIR",
            description = "Folder with unet/, scheduler-NAME/, inputs.safetensors, cases.json and "
                + "expected.safetensors.")
        private Path folder;

        @Option(names = "--schedules", paramLabel = "FILE",
            description = "Compare noise schedulers alone, without a denoiser, with a table of what those of a "
                + "reference implementation give: configs and cases.")
        private Path schedules;
    }

    @Option(names = "--tolerance", paramLabel = "X", defaultValue = "1e-4",
        description = "Largest difference that passes (${DEFAULT-VALUE}).")
    private double tolerance;

    @Option(names = "--json", description = "Print a JSON list instead of a table.")
    private boolean json;

    @Option(names = "--case", paramLabel = "NAME", description = "Run this case only; may be given several times.")
    private List<String> names = new ArrayList<>();

    @Option(names = "--device", paramLabel = "SPEC", defaultValue = "cpu:1",
        description = "What the cases run on: cpu:THREADS or cuda (${DEFAULT-VALUE}); opened as "
            + "often as a case needs.")
    private String device;

    @Mixin
    private PrecisionOption precision;

    @Option(names = "--from", paramLabel = "FORM", converter = FormatName.class,
        description = "What the denoiser is read from: onnx (model.onnx) or checkpoint (safetensors and config.json, "
            + "from which the graph is written). Without it, the graph if there is one.")
    private Optional<ComponentFormat> format = Optional.empty();

    @Override
    public Integer call() {
        return reference.schedules != null ? compareSchedules(reference.schedules) : compareLatents(reference.folder);
    }

    private int compareSchedules(Path file) {
        PrintWriter out = spec.commandLine().getOut();
        List<ScheduleCase.Result> results = ScheduleTable.read(file).run(names);
        out.print(json ? ScheduleReport.json(results) + System.lineSeparator() : ScheduleReport.text(results));
        out.flush();
        return results.stream().allMatch(ScheduleCase.Result::agrees) ? 0 : 1;
    }

    private int compareLatents(Path folder) {
        if (!(tolerance >= 0 && tolerance < Double.POSITIVE_INFINITY)) {
            throw new InputException("--tolerance takes a number from 0 up, not " + tolerance + "; 1e-4 is usual");
        }
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        try (ReferenceFolder opened = ReferenceFolder.open(folder, format, precision.precision())) {
            List<ReferenceCase> all = opened.cases();
            opened.unnamed(all).forEach(key -> err.println("not compared: expected.safetensors has \"" + key
                + "\", which cases.json does not list"));
            List<ReferenceCase> chosen = chosen(folder, all);
            LoopInputs inputs = LoopInputs.read(opened.inputs(), opened.model());
            // What can be known to be wrong is said before anything is built.
            for (ReferenceCase wanted : chosen) {
                opened.checkCut(wanted);
                opened.expected(wanted, inputs.latents().shape());
            }
            chosen.stream().map(ReferenceCase::scheduler).distinct()
                .forEach(name -> opened.differences(name).forEach(err::println));
            err.flush();
            List<CaseResult> results = run(opened, inputs, chosen);
            out.print(json ? VerifyReport.json(results) + System.lineSeparator()
                : VerifyReport.table(results, tolerance));
            out.flush();
            return results.stream().allMatch(CaseResult::passed) ? 0 : 1;
        }
    }

    private List<ReferenceCase> chosen(Path folder, List<ReferenceCase> all) {
        for (String name : names) {
            if (all.stream().noneMatch(it -> it.name().equals(name))) {
                throw new ModelException(folder.resolve("cases.json") + " has no case " + name + "; there are "
                    + all.stream().map(ReferenceCase::name).collect(Collectors.joining(", ")));
            }
        }
        return all.stream().filter(it -> names.isEmpty() || names.contains(it.name())).toList();
    }

    private List<CaseResult> run(ReferenceFolder opened, LoopInputs inputs, List<ReferenceCase> chosen) {
        int most = chosen.stream().mapToInt(ReferenceCase::devices).max().orElse(1);
        try (VerifyDevices devices = VerifyDevices.open(DeviceSpec.parse(device), most)) {
            CaseRunner runner = new CaseRunner(opened, inputs, devices.list());
            return chosen.stream().map(it -> runner.run(it, tolerance)).toList();
        }
    }
}
