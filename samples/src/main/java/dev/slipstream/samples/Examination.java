package dev.slipstream.samples;

import com.sun.management.OperatingSystemMXBean;
import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.cpu.OnnxRuntime;
import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.PipelineDraft;
import dev.slipstream.samples.Finding.State;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Looks at all that drawing a picture needs. */
final class Examination {
    private static final int LEAST_JAVA = 22;

    private final Path model;

    Examination(Path model) {
        this.model = model;
    }

    List<Finding> findings() {
        List<Finding> findings = new ArrayList<>(List.of(java(), machine()));
        List<DeviceProvider> providers = Devices.discover().providers();
        providers.forEach(provider -> findings.add(provider(provider)));
        if (providers.stream().noneMatch(provider -> provider.availability().isAvailable())) {
            findings.add(new Finding(State.BAD, "devices", "there is none; see above what each kind needs"));
        }
        findings.add(unpacked());
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

    /** ONNX Runtime's native library must lie in a folder to be loaded. */
    private static Finding unpacked() {
        return new Finding(State.GOOD, "libraries", "ONNX Runtime's in "
            + OnnxRuntime.folder().map(Path::toString).orElse(System.getProperty("java.io.tmpdir")));
    }

    private Finding model() {
        try (PipelineDraft draft = DiffusionPipeline.of(model).draft()) {
            ImageRequest request = draft.completed(ImageRequest.of(""));
            return new Finding(State.GOOD, "model", model + ": " + request.width().getAsInt() + "x"
                + request.height().getAsInt() + " pixels, denoiser "
                + Amounts.bytes(draft.blueprint(request).weightBytes(0)) + ", noise scheduler "
                + request.scheduler().orElseThrow());
        } catch (RuntimeException unusable) {
            return new Finding(State.BAD, "model", Failures.oneLine(unusable.getMessage()));
        }
    }
}
