package dev.slipstream.samples.bench;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.samples.options.PrecisionOption;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.InputException;
import dev.slipstream.samples.terminal.Terminal;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Measures denoising steps on one device. */
@Command(name = "steps", description = {
    "Measures denoising steps: the loop that a picture needs, and the denoiser's engine alone.",
    "On one device, for one guided picture; queued anew each time, and replayed where the device can."},
    footer = {"", "Example:", "  slipstream bench steps samples/model --device cuda:0 --json steps.json"})
public final class BenchStepsCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Parameters(paramLabel = "DIR", arity = "1..*",
        description = "Model folders, and folders of reference cases (with inputs.safetensors).")
    private List<Path> folders;

    @Option(names = "--device", paramLabel = "SPEC", order = HelpLayout.DEVICES, defaultValue = "cpu:1",
        description = "The device (${DEFAULT-VALUE}).")
    private String device;

    @Mixin
    private PrecisionOption precision;

    @Option(names = "--steps", paramLabel = "N", order = HelpLayout.OWN + 1, defaultValue = "50",
        description = "Steps in a row (${DEFAULT-VALUE}).")
    private int steps;

    @Option(names = "--rounds", paramLabel = "N", order = HelpLayout.OWN + 2, defaultValue = "9",
        description = "Timed rounds, in each of which every way comes once (${DEFAULT-VALUE}).")
    private int rounds;

    @Option(names = "--json", paramLabel = "FILE", order = HelpLayout.OUTPUT,
        description = "Write all numbers as a JSON list.")
    private Path json;

    public BenchStepsCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        if (steps < 1 || rounds < 1) {
            throw new InputException("--steps and --rounds take 1 or more, not " + steps + " and " + rounds);
        }
        BenchOutput output = new BenchOutput(terminal, json);
        output.printMachine(List.of(device));
        List<StepRow> rows = new ArrayList<>();
        try (Device opened = Devices.discover().open(List.of(DeviceSpec.parse(device))).getFirst()) {
            terminal.out().println(opened.name() + ": " + opened.description() + "; " + rounds
                + " rounds of " + steps + " steps");
            for (Path folder : folders) {
                StepBenchmark.Model model = StepBenchmark.Model.open(folder, precision.precision());
                try (StepBenchmark benchmark = new StepBenchmark(model, opened, steps)) {
                    rows.addAll(benchmark.run(rounds));
                }
            }
        }
        terminal.out().println();
        terminal.out().print(StepRow.table(rows));
        output.write(rows);
        return ExitCode.OK;
    }
}
