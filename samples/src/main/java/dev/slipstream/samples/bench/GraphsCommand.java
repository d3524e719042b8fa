package dev.slipstream.samples.bench;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.samples.InputException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Our graphs against an exporter's. */
@Command(name = "graphs", description = {
    "Compares an exporter's graph of a denoiser with the one that is written here from its checkpoint,",
    "each with standard operators only, and in the form that CPU devices get.",
    "On one CPU thread, for one guided picture; nodes are counted before and after ONNX Runtime's optimisation."},
    footer = {"", "Example:", "  slipstream bench graphs DIR --latents 16,32,64 --json graphs.json"})
public final class GraphsCommand implements Callable<Integer> {
    private static final String DEVICE = "cpu:1";

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "DIR", arity = "1..*",
        description = "Folders of reference cases (inputs.safetensors), whose unet/ has graph and checkpoint.")
    private List<Path> folders;

    @Option(names = "--latents", paramLabel = "N,...", order = 1, split = ",",
        description = "Heights and widths of the latents, if not those of the cases.")
    private List<Integer> sides = List.of();

    @Option(names = "--calls", paramLabel = "N", order = 2, defaultValue = "3",
        description = "Calls in a row (${DEFAULT-VALUE}).")
    private int calls;

    @Option(names = "--rounds", paramLabel = "N", order = 3, defaultValue = "15",
        description = "Timed rounds, in each of which each graph comes once (${DEFAULT-VALUE}).")
    private int rounds;

    @Option(names = "--json", paramLabel = "FILE", order = 20,
        description = "Write all numbers, with the nodes by operator, as a JSON list.")
    private Path json;

    @Override
    public Integer call() throws IOException {
        if (calls < 1 || rounds < 1) {
            throw new InputException("--calls and --rounds take 1 or more, not " + calls + " and " + rounds);
        }
        if (sides.stream().anyMatch(side -> side < 1)) {
            throw new InputException("--latents takes numbers from 1 up, like 16,32, not " + sides);
        }
        MeasuredFile.check(json, "--json");
        PrintWriter out = spec.commandLine().getOut();
        out.println(MachineFacts.line(List.of(DEVICE)));
        List<GraphRow> rows = new ArrayList<>();
        try (Device opened = Devices.discover().open(List.of(DeviceSpec.parse(DEVICE))).getFirst()) {
            out.println(opened.name() + ": " + opened.description() + "; " + rounds + " rounds of " + calls + " calls");
            out.flush();
            for (Path folder : folders) {
                for (OptionalInt side : sides.isEmpty() ? List.of(OptionalInt.empty())
                    : sides.stream().map(OptionalInt::of).toList()) {
                    try (GraphContest contest = new GraphContest(folder, side, opened, calls)) {
                        rows.addAll(contest.run(rounds));
                    }
                }
            }
        }
        out.println("load average now " + MachineFacts.load());
        out.println();
        out.print(GraphRow.table(rows));
        if (json != null) {
            MeasuredFile.write(json, GraphRow.json(rows));
            out.println("numbers: " + json);
        }
        return 0;
    }
}
