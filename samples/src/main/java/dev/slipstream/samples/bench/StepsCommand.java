package dev.slipstream.samples.bench;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.samples.InputException;
import dev.slipstream.samples.PrecisionOption;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** What a denoising step takes on one device. */
@Command(name = "steps", description = {
    "Measures denoising steps: the loop that a picture needs, and the denoiser's engine alone.",
    "On one device, for one guided picture; queued anew each time, and replayed where the device can."},
    footer = {"", "Example:", "  slipstream bench steps samples/model --device cuda:0 --json steps.json"})
public final class StepsCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "DIR", arity = "1..*",
        description = "Model folders, and folders of reference cases (with inputs.safetensors).")
    private List<Path> folders;

    @Option(names = "--device", paramLabel = "SPEC", order = 1, defaultValue = "cpu:1",
        description = "The device (${DEFAULT-VALUE}).")
    private String device;

    @Mixin
    private PrecisionOption precision;

    @Option(names = "--steps", paramLabel = "N", order = 2, defaultValue = "50",
        description = "Steps in a row (${DEFAULT-VALUE}).")
    private int steps;

    @Option(names = "--rounds", paramLabel = "N", order = 3, defaultValue = "9",
        description = "Timed rounds, in each of which every way comes once (${DEFAULT-VALUE}).")
    private int rounds;

    @Option(names = "--json", paramLabel = "FILE", order = 20, description = "Write all numbers as a JSON list.")
    private Path json;

    @Override
    public Integer call() throws IOException {
        if (steps < 1 || rounds < 1) {
            throw new InputException("--steps and --rounds take 1 or more, not " + steps + " and " + rounds);
        }
        MeasuredFile.check(json, "--json");
        PrintWriter out = spec.commandLine().getOut();
        out.println(MachineFacts.line(List.of(device)));
        List<StepRow> rows = new ArrayList<>();
        try (Device opened = Devices.discover().open(List.of(DeviceSpec.parse(device))).getFirst()) {
            out.println(opened.name() + ": " + opened.description() + "; " + rounds + " rounds of " + steps + " steps");
            out.flush();
            for (Path folder : folders) {
                StepModel model = StepModel.open(folder, precision.precision());
                try (StepContest contest = new StepContest(model, opened, steps)) {
                    rows.addAll(contest.run(rounds));
                }
            }
        }
        out.println();
        out.print(StepRow.table(rows));
        if (json != null) {
            MeasuredFile.write(json, StepRow.json(rows));
            out.println("numbers: " + json);
        }
        return 0;
    }
}
