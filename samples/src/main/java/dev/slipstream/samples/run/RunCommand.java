package dev.slipstream.samples.run;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.pipelines.model.folder.ComponentFormat;
import dev.slipstream.pipelines.model.weights.SafetensorsFile;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.samples.options.ComponentFormatConverter;
import dev.slipstream.samples.options.ResultFiles;
import dev.slipstream.samples.reference.TensorConversion;
import dev.slipstream.samples.run.ExpectedOutputs.Comparison;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.InputException;
import dev.slipstream.samples.terminal.Table;
import dev.slipstream.samples.terminal.Terminal;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Runs one component on given tensors. Exits with 1 if an output is not what was expected. */
@Command(name = "run", customSynopsis = "slipstream run DIR --inputs FILE [OPTIONS]",
    description = {
        "Runs one component of a model on given tensors, and compares what comes out.",
        "It checks a model that was brought here: its text encoder, denoiser or autoencoder, as an ONNX graph or as a "
            + "checkpoint. The exit code is 1 if an output differs."},
    footer = {"",
        "Examples:",
        "  slipstream run DIR/vae --inputs in.safetensors --output out.safetensors",
        "  slipstream run DIR/unet --inputs in.safetensors --expect out.safetensors",
        "",
        "Inputs and outputs have the names of the ONNX graph, or for a checkpoint those",
        "of optimum's exports. An autoencoder makes decoded of latent_sample, and",
        "encoded_mean and encoded_logvar of sample."})
public final class RunCommand implements Callable<Integer> {
    private static final int NAMED_AS_UNUSED = 5;

    private final Terminal terminal;

    @Parameters(paramLabel = "DIR", description = "Folder of one component with model.onnx, or with config.json and "
        + "safetensors; or an ONNX file.")
    private Path folder;

    @Option(names = "--inputs", paramLabel = "FILE", order = HelpLayout.OWN + 1, required = true,
        description = "The inputs by name, as safetensors.")
    private Path inputs;

    @Option(names = "--output", paramLabel = "FILE", order = HelpLayout.OUTPUT,
        description = "Write the outputs as safetensors.")
    private Path output;

    @Option(names = "--expect", paramLabel = "FILE", order = HelpLayout.OWN + 2,
        description = "Compare with the outputs in these safetensors; others are not made.")
    private Path expect;

    @Option(names = "--tolerance", paramLabel = "X", order = HelpLayout.OWN + 3, defaultValue = "1e-4",
        description = "Largest absolute difference that passes (${DEFAULT-VALUE}).")
    private double tolerance;

    @Option(names = "--from", paramLabel = "FORM", order = HelpLayout.OWN + 4,
        converter = ComponentFormatConverter.class,
        completionCandidates = ComponentFormatConverter.Names.class,
        description = "What to run where the folder has both: onnx or checkpoint. Without it, the graph.")
    private Optional<ComponentFormat> format = Optional.empty();

    @Option(names = "--base", paramLabel = "DIR", order = HelpLayout.OWN + 5,
        description = "Folder of the component that an adapter is joined with: the U-Net of a motion adapter.")
    private Optional<Path> base = Optional.empty();

    @Option(names = "--device", paramLabel = "SPEC", order = HelpLayout.DEVICES, defaultValue = "cpu:1",
        description = "Where to run: cpu:THREADS or cuda:NUMBER (${DEFAULT-VALUE}).")
    private String device;

    public RunCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        DeviceSpec where = DeviceSpec.parse(device);
        checkOptions();
        ComponentFolder source = ComponentFolder.of(folder, format, base);
        try (SafetensorsFile given = SafetensorsFile.open(inputs)) {
            ComponentFolder.Graphs component = source.read(given.tensors().keySet());
            sayUnused(component.ignored());
            if (expect == null) {
                return run(component, given, ExpectedOutputs.NONE, where);
            }
            try (SafetensorsFile expected = SafetensorsFile.open(expect)) {
                return run(component, given, ExpectedOutputs.of(expected), where);
            }
        }
    }

    private void checkOptions() {
        if (!(tolerance >= 0 && tolerance < Double.POSITIVE_INFINITY)) {
            throw new InputException("--tolerance takes a number from 0 up, not " + tolerance + "; 1e-4 is usual");
        }
        ResultFiles.refuseOverwriting("--output", output, read());
        if (output != null) {
            ResultFiles.checkWritable("--output", List.of(output));
        }
    }

    /** The files that are read, which the results must not overwrite. */
    private List<Path> read() {
        List<Path> files = new ArrayList<>(List.of(inputs));
        if (expect != null) {
            files.add(expect);
        }
        files.addAll(ResultFiles.ofComponent(folder));
        base.ifPresent(component -> files.addAll(ResultFiles.ofComponent(component)));
        return files;
    }

    private void sayUnused(List<String> ignored) {
        if (!ignored.isEmpty()) {
            int more = ignored.size() - NAMED_AS_UNUSED;
            terminal.err().println("not used of the checkpoint: "
                + String.join(", ", ignored.stream().limit(NAMED_AS_UNUSED).toList())
                + (more > 0 ? " and " + more + " more" : ""));
            terminal.err().flush();
        }
    }

    private int run(ComponentFolder.Graphs component, SafetensorsFile given, ExpectedOutputs expected,
        DeviceSpec where) {
        ComponentRun run = new ComponentRun(component, given, expected);
        try (Device opened = Devices.discover().open(where); Arena arena = Arena.ofShared()) {
            Map<String, StoredTensor> results = run.run(opened, arena);
            if (output != null) {
                SafetensorsWriter.write(output, results, Map.of());
            }
            if (expected.isNone()) {
                terminal.out().print(table(results));
                return ExitCode.OK;
            }
            List<Comparison> comparisons = expected.compare(results, tolerance);
            terminal.out().print(Comparison.table(comparisons, tolerance));
            return comparisons.stream().allMatch(Comparison::passed) ? ExitCode.OK : ExitCode.FAILED;
        }
    }

    /** The outputs, where there is nothing to compare them with. */
    private static String table(Map<String, StoredTensor> results) {
        Table table = new Table().left("output").left("type").left("shape").right("least").right("mean")
            .right("largest");
        results.forEach((name, tensor) -> {
            long count = tensor.shape().elements();
            double least = Double.POSITIVE_INFINITY;
            double largest = Double.NEGATIVE_INFINITY;
            double sum = 0;
            for (long i = 0; i < count; i++) {
                double value = TensorConversion.element(tensor, i);
                least = Math.min(least, value);
                largest = Math.max(largest, value);
                sum += value;
            }
            table.row(name, tensor.type(), tensor.shape(), number(least), number(sum / count), number(largest));
        });
        return table.toString();
    }

    private static String number(double value) {
        return Double.isFinite(value) ? Table.number("%.2e", value) : Double.toString(value);
    }
}
