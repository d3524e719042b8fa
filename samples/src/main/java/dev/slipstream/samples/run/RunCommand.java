package dev.slipstream.samples.run;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.file.AtomicFile;
import dev.slipstream.pipelines.model.ComponentFormat;
import dev.slipstream.pipelines.model.SafetensorsFile;
import dev.slipstream.pipelines.model.SafetensorsWriter;
import dev.slipstream.pipelines.model.StoredTensor;
import dev.slipstream.samples.ExitCode;
import dev.slipstream.samples.InputException;
import dev.slipstream.samples.Overwriting;
import dev.slipstream.samples.verify.FormatName;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Runs one component on given tensors. Exits with 1 if an output is not what was expected. */
@Command(name = "run", description = {"Runs one component of a model on given tensors, and compares what comes out.",
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

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "DIR", description = "Folder of one component with model.onnx, or with config.json and "
        + "safetensors; or an ONNX file.")
    private Path folder;

    @Option(names = "--inputs", paramLabel = "FILE", order = 1, required = true,
        description = "The inputs by name, as safetensors.")
    private Path inputs;

    @Option(names = "--output", paramLabel = "FILE", order = 2, description = "Write the outputs as safetensors.")
    private Path output;

    @Option(names = "--expect", paramLabel = "FILE", order = 3,
        description = "Compare with the outputs in these safetensors; others are not made.")
    private Path expect;

    @Option(names = "--tolerance", paramLabel = "X", order = 4, defaultValue = "1e-4",
        description = "Largest absolute difference that passes (${DEFAULT-VALUE}).")
    private double tolerance;

    @Option(names = "--from", paramLabel = "FORM", order = 5, converter = FormatName.class,
        description = "What to run where the folder has both: onnx or checkpoint. Without it, the graph.")
    private Optional<ComponentFormat> format = Optional.empty();

    @Option(names = "--device", paramLabel = "SPEC", order = 6, defaultValue = "cpu:1",
        description = "Where to run: cpu:THREADS or cuda:NUMBER (${DEFAULT-VALUE}).")
    private String device;

    @Override
    public Integer call() {
        DeviceSpec where = DeviceSpec.parse(device);
        checkOptions();
        ComponentFolder component = ComponentFolder.read(folder, format);
        sayUnused(component.ignored());
        try (SafetensorsFile given = SafetensorsFile.open(inputs)) {
            if (expect == null) {
                return run(new ComponentRun(component, given, Set.of()), where, Map.of());
            }
            try (SafetensorsFile expected = SafetensorsFile.open(expect)) {
                return run(new ComponentRun(component, given, wanted(expected)), where, expected.tensors());
            }
        }
    }

    private void checkOptions() {
        if (!(tolerance >= 0 && tolerance < Double.POSITIVE_INFINITY)) {
            throw new InputException("--tolerance takes a number from 0 up, not " + tolerance + "; 1e-4 is usual");
        }
        Overwriting.refuse("--output", output, read());
        try {
            if (output != null) {
                AtomicFile.checkWritable(output);
            }
        } catch (IOException unwritable) {
            throw new InputException(unwritable.getMessage() + "; choose another --output", unwritable);
        }
    }

    /** What the results must not take the place of. */
    private List<Path> read() {
        List<Path> files = new ArrayList<>(List.of(inputs));
        if (expect != null) {
            files.add(expect);
        }
        files.addAll(Overwriting.files(folder));
        return files;
    }

    private static Set<String> wanted(SafetensorsFile expected) {
        if (expected.tensors().isEmpty()) {
            throw new InputException(expected.path() + " is empty, so there is nothing to compare with");
        }
        return expected.tensors().keySet();
    }

    private void sayUnused(List<String> ignored) {
        if (!ignored.isEmpty()) {
            PrintWriter err = spec.commandLine().getErr();
            int more = ignored.size() - NAMED_AS_UNUSED;
            err.println("not used of the checkpoint: "
                + String.join(", ", ignored.stream().limit(NAMED_AS_UNUSED).toList())
                + (more > 0 ? " and " + more + " more" : ""));
            err.flush();
        }
    }

    private int run(ComponentRun component, DeviceSpec where, Map<String, StoredTensor> expected) {
        checkShapes(component.shapes(), expected);
        try (Device opened = Devices.discover().open(where); Arena arena = Arena.ofShared()) {
            Map<String, StoredTensor> results = component.run(opened, arena);
            if (output != null) {
                SafetensorsWriter.write(output, results, Map.of());
            }
            PrintWriter out = spec.commandLine().getOut();
            if (expected.isEmpty()) {
                out.print(RunReport.outputs(results));
                return ExitCode.OK;
            }
            List<OutputComparison> comparisons = expected.entrySet().stream().map(wanted ->
                OutputComparison.of(wanted.getKey(), wanted.getValue(), results.get(wanted.getKey()), tolerance))
                .toList();
            out.print(RunReport.comparisons(comparisons, tolerance));
            return comparisons.stream().allMatch(OutputComparison::passed) ? ExitCode.OK : ExitCode.FAILED;
        }
    }

    private void checkShapes(Map<String, Shape> shapes, Map<String, StoredTensor> expected) {
        expected.forEach((name, tensor) -> {
            if (!tensor.shape().equals(shapes.get(name))) {
                throw new InputException(expect + " has " + name + " as " + tensor.shape() + ", but of these inputs it "
                    + "becomes " + shapes.get(name));
            }
        });
    }
}
