package dev.slipstream.samples.bench;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.InputException;
import dev.slipstream.samples.terminal.Terminal;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Measures our graphs beside those of an exporter. */
@Command(name = "graphs", description = {
    "Compares an exporter's graph of a denoiser with the one that is written here from its checkpoint,",
    "each with standard operators only, and in the form that CPU devices get.",
    "On one CPU thread, for one guided picture; nodes are counted before and after ONNX Runtime's optimisation."},
    footer = {"", "Example:", "  slipstream bench graphs DIR --latents 16,32,64 --json graphs.json"})
public final class BenchGraphsCommand implements Callable<Integer> {
    private static final String DEVICE = "cpu:1";

    private final Terminal terminal;

    @Parameters(paramLabel = "DIR", arity = "1..*",
        description = "Folders of reference cases (inputs.safetensors), whose denoiser has graph and checkpoint.")
    private List<Path> folders;

    @Option(names = "--latents", paramLabel = "N,...", order = HelpLayout.OWN + 1, split = ",",
        description = "Heights and widths of the latents, if not those of the cases.")
    private List<Integer> sides = List.of();

    @Option(names = "--calls", paramLabel = "N", order = HelpLayout.OWN + 2, defaultValue = "3",
        description = "Calls in a row (${DEFAULT-VALUE}).")
    private int calls;

    @Option(names = "--rounds", paramLabel = "N", order = HelpLayout.OWN + 3, defaultValue = "15",
        description = "Timed rounds, in each of which each graph comes once (${DEFAULT-VALUE}).")
    private int rounds;

    @Option(names = "--json", paramLabel = "FILE", order = HelpLayout.OUTPUT,
        description = "Write all numbers, with the nodes by operator, as a JSON list.")
    private Path json;

    public BenchGraphsCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        if (calls < 1 || rounds < 1) {
            throw new InputException("--calls and --rounds take 1 or more, not " + calls + " and " + rounds);
        }
        if (sides.stream().anyMatch(side -> side < 1)) {
            throw new InputException("--latents takes numbers from 1 up, like 16,32, not " + sides);
        }
        BenchOutput output = new BenchOutput(terminal, json);
        output.printMachine(List.of(DEVICE));
        List<GraphRow> rows = new ArrayList<>();
        try (Device opened = Devices.discover().open(List.of(DeviceSpec.parse(DEVICE))).getFirst()) {
            terminal.out().println(opened.name() + ": " + opened.description() + "; " + rounds
                + " rounds of " + calls + " calls");
            for (Path folder : folders) {
                for (OptionalInt side : sides.isEmpty() ? List.of(OptionalInt.empty())
                    : sides.stream().map(OptionalInt::of).toList()) {
                    try (GraphBenchmark benchmark = new GraphBenchmark(folder, side, opened, calls)) {
                        rows.addAll(benchmark.run(rounds));
                    }
                }
            }
        }
        terminal.out().println("load average now " + BenchOutput.load());
        terminal.out().println();
        terminal.out().print(GraphRow.table(rows));
        output.write(rows);
        return ExitCode.OK;
    }
}
