package dev.slipstream.samples.doctor;

import com.sun.management.OperatingSystemMXBean;
import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.cpu.OnnxRuntime;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.PipelineSpec;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.samples.options.ModelOptions;
import dev.slipstream.samples.settings.Settings;
import dev.slipstream.samples.terminal.Amounts;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.Failures;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.Json;
import dev.slipstream.samples.terminal.Terminal;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Says whether pictures can be drawn here, and what to do if not. */
@Command(name = "doctor", description = {
    "Looks at Java, the machine, its devices and a model, and says what works or what to do.",
    "The exit code is 0 if pictures can be drawn here."},
    footer = {"", "Examples:", "  slipstream doctor", "  slipstream doctor --json"})
public final class DoctorCommand implements Callable<Integer> {
    private static final int LEAST_JAVA = 22;

    private final Terminal terminal;

    @Mixin
    private ModelOptions model;

    @Option(names = "--json", order = HelpLayout.OUTPUT, description = "Print one JSON object.")
    private boolean json;

    @Spec
    private CommandSpec spec;

    public DoctorCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    private enum State {
        GOOD("ok"),
        /** Missing, but not needed to draw pictures. */
        ABSENT("--"),
        /** Pictures cannot be drawn because of this. */
        BAD("!!");

        private final String mark;

        State(String mark) {
            this.mark = mark;
        }
    }

    /**
     * The result of one check.
     *
     * @param subject what was checked, in one word
     * @param words what is there; or what is wrong, and on a second line what to do
     */
    private record Finding(State state, String subject, String words) {
        private static final int INDENT = 16;

        @Override
        public String toString() {
            return String.format("%s  %-10s  %s", state.mark, subject, words.replace("\n", "\n" + " ".repeat(INDENT)));
        }
    }

    private record Result(boolean ready, List<Finding> findings) {
    }

    @Override
    public Integer call() {
        List<Finding> findings = findings();
        boolean ready = findings.stream().noneMatch(finding -> finding.state() == State.BAD);
        if (json) {
            terminal.out().println(Json.text(new Result(ready, findings)));
        } else {
            findings.forEach(terminal.out()::println);
            terminal.out().println(ready ? "\nPictures can be drawn here." : "\nPictures cannot be drawn here yet.");
        }
        return ready ? ExitCode.OK : ExitCode.FAILED;
    }

    private List<Finding> findings() {
        List<Finding> findings = new ArrayList<>(List.of(java(), machine()));
        List<DeviceProvider> providers = Devices.discover().providers();
        providers.forEach(provider -> findings.add(provider(provider)));
        if (providers.stream().noneMatch(provider -> provider.availability().isAvailable())) {
            findings.add(new Finding(State.BAD, "devices", "there is none; see above what each kind needs"));
        }
        findings.add(unpacked());
        if (spec.defaultValueProvider() instanceof Settings settings) {
            findings.add(settings(settings));
        }
        findings.add(model());
        return findings;
    }

    private static Finding java() {
        String words = Runtime.version() + " by " + System.getProperty("java.vendor") + " in "
            + System.getProperty("java.home");
        return Runtime.version().feature() >= LEAST_JAVA ? new Finding(State.GOOD, "Java", words)
            : new Finding(State.BAD, "Java", words + "; install a JDK of at least " + LEAST_JAVA);
    }

    private static Finding machine() {
        String memory = ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
            ? Amounts.bytes(system.getTotalMemorySize()) + " of memory, " : "";
        return new Finding(State.GOOD, "machine", System.getProperty("os.name") + " " + System.getProperty("os.version")
            + " " + System.getProperty("os.arch") + ", " + Runtime.getRuntime().availableProcessors()
            + " processors, " + memory + Amounts.bytes(Runtime.getRuntime().maxMemory()) + " for Java");
    }

    private static Finding provider(DeviceProvider provider) {
        return switch (provider.availability()) {
            case Availability.Available(String detail) -> new Finding(State.GOOD, provider.name(), detail + ": "
                + provider.list().stream().map(DeviceSpec::toString).collect(Collectors.joining(", ")));
            case Availability.Unavailable(String reason, String remedy) ->
                new Finding(State.ABSENT, provider.name(), reason + "\nto use it, " + remedy);
        };
    }

    /** ONNX Runtime's native library must be unpacked into a folder to be loaded. */
    private static Finding unpacked() {
        return new Finding(State.GOOD, "libraries", "ONNX Runtime's in "
            + OnnxRuntime.folder().map(Path::toString).orElse(System.getProperty("java.io.tmpdir")));
    }

    private static Finding settings(Settings settings) {
        String variables = settings.variables().isEmpty() ? "" : "\nset by variables: "
            + String.join(", ", settings.variables());
        String path = settings.path().map(Path::toString).orElse("no file");
        return settings.complaint().map(wrong -> new Finding(State.BAD, "settings", wrong.replaceFirst("; ", "\n")))
            .orElseGet(() -> settings.isThere() ? new Finding(State.GOOD, "settings", path + variables)
                : new Finding(State.ABSENT, "settings", path + (settings.path().isPresent() ? " is not there" : "")
                    + variables));
    }

    private Finding model() {
        try (PipelineSpec spec = model.pipeline().devices("cpu:1").spec()) {
            ImageRequest request = spec.completed(ImageRequest.of(""));
            return new Finding(State.GOOD, "model", model.path() + ": " + request.width().getAsInt() + "x"
                + request.height().getAsInt() + " pixels, denoiser "
                + Amounts.bytes(spec.unwrap(request, PartitionedDenoiser.class).weightBytes(0)) + ", noise scheduler "
                + request.scheduler().orElseThrow());
        } catch (RuntimeException unusable) {
            return new Finding(State.BAD, "model", Failures.oneLine(unusable.getMessage()));
        }
    }
}
