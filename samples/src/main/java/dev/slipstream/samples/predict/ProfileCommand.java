package dev.slipstream.samples.predict;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.provider.Closer;
import dev.slipstream.pipelines.cost.MachineProfile;
import dev.slipstream.pipelines.cost.Profile;
import dev.slipstream.pipelines.diffusion.planning.PipelineSite;
import dev.slipstream.pipelines.diffusion.planning.Profiler;
import dev.slipstream.samples.options.ModelOptions;
import dev.slipstream.samples.options.PrecisionOption;
import dev.slipstream.samples.options.RequestOptions;
import dev.slipstream.samples.options.ResultFiles;
import dev.slipstream.samples.terminal.Amounts;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.InputException;
import dev.slipstream.samples.terminal.Table;
import dev.slipstream.samples.terminal.Terminal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures what the parts of a model take on devices. */
@Command(name = "profile", description = {
    "Measures how long each module of a model takes on devices, and copies between them.",
    "By such a file plans are chosen (--plan auto) and predicted (predict --profile).",
    "It takes processing time where a device knows it, so other load does little harm."},
    footer = {"",
        "Examples:",
        "  slipstream profile",
        "  slipstream profile --devices cpu:1,cpu:1 --output profile.json",
        "  slipstream predict --profile profile.json"})
public final class ProfileCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Mixin
    private ModelOptions model;

    @Mixin
    private RequestOptions request;

    @Mixin
    private PrecisionOption precision;

    @Option(names = "--devices", paramLabel = "LIST", order = HelpLayout.DEVICES, split = ",",
        defaultValue = "cpu:1,cpu:1",
        description = "Devices in the plan's order, like cuda:0,cuda:1 (${DEFAULT-VALUE}).")
    private List<String> devices;

    @Option(names = "--output", paramLabel = "FILE", order = HelpLayout.OUTPUT,
        description = "Write this file instead of the one in the user's cache. Plans are chosen by that one, or by "
            + "slipstream-profile.json in the model's folder.")
    private Path output;

    public ProfileCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        if (output != null) {
            ResultFiles.checkWritable("--output", List.of(output));
            ResultFiles.refuseOverwriting("--output", output, model.files());
        }
        List<Device> open = new ArrayList<>();
        try (PaperModel paper = PaperModel.of(model, precision.precision())) {
            for (String device : devices) {
                open.add(Devices.discover().open(parse(device)));
            }
            MachineProfile profile = new Profiler(paper.question(request).loop(), paper.name()).measure(open,
                devices);
            Path file = output == null ? PipelineSite.ofUser(profile.denoiser()) : output;
            if (output == null) {
                Files.createDirectories(file.getParent());
            }
            profile.write(file);
            terminal.out().println(table(profile));
            terminal.out().println("profile: " + file);
        } finally {
            Closer.closeAll(open);
        }
        return ExitCode.OK;
    }

    private static DeviceSpec parse(String device) {
        try {
            return DeviceSpec.parse(device);
        } catch (IllegalArgumentException bad) {
            throw new InputException("--devices: " + bad.getMessage());
        }
    }

    private static String table(MachineProfile profile) {
        StringBuilder text = new StringBuilder();
        Table table = new Table().left("device").right("modules").right("a run").right("an operator")
            .right("GMAC/s convolution").right("product").right("attention").right("GB/s");
        for (Profile device : profile.devices().stream().distinct().toList()) {
            table.row(device.device(), device.factors().size(), nanos(device.rates().startNanos()),
                nanos(device.rates().operatorNanos()), rate(device.rates().convolutions()),
                rate(device.rates().products()), rate(device.rates().attention()), rate(device.rates().bytes()));
        }
        text.append(table);
        profile.links().stream().map(link -> "copies from device " + profile.specs().get(link.from()) + " to "
            + profile.specs().get(link.to()) + ": " + nanos(link.latencyNanos()) + " and " + rate(link.bytesPerNano())
            + " GB/s\n").distinct().forEach(line -> text.append(line));
        return text.append("the host takes ").append(nanos(profile.hostNanos())).append(" to queue an instruction")
            .toString();
    }

    private static String nanos(double nanos) {
        return nanos < 1e5 ? Table.number("%.1f us", nanos / 1e3) : Amounts.time(Duration.ofNanos(Math.round(nanos)));
    }

    /** None where the model has no such work. */
    private static String rate(double perNano) {
        return Double.isInfinite(perNano) ? "-" : Table.number("%.1f", perNano);
    }
}
