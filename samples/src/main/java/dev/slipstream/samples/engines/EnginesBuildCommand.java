package dev.slipstream.samples.engines;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.store.EngineEntry;
import dev.slipstream.bridge.store.EngineStore;
import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.GeneratedImage;
import dev.slipstream.pipelines.diffusion.Generation;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.samples.options.DeviceOptions;
import dev.slipstream.samples.options.QuietOption;
import dev.slipstream.samples.terminal.Amounts;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.Interruption;
import dev.slipstream.samples.terminal.Terminal;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Fills the store before engines are needed. */
@Command(name = "build", description = {"Builds all engines of a model and keeps them in the store.",
    "They are those for single pictures of the model's own size, with guidance. A picture in one step is drawn with "
        + "them and thrown away, so they are known to run."},
    footer = {"",
        "Examples:",
        "  slipstream model init --like sd15 --tiny tiny-sd15",
        "  slipstream engines build tiny-sd15 --devices cpu:1",
        "  slipstream engines build tiny-sd15 --plan cfg-split --devices cuda:0,cuda:1"})
public final class EnginesBuildCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Parameters(paramLabel = "DIR", description = "The model: a folder in the layout of diffusers' ONNX pipelines.")
    private Path model;

    @Mixin
    private DeviceOptions devices;

    @Mixin
    private EnginesCommand.Store options;

    @Mixin
    private QuietOption quiet;

    public EnginesBuildCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        // Device providers look here for the folder of the store.
        System.setProperty(EngineStore.FOLDER_PROPERTY, options.path().toString());
        EngineStore store = options.store();
        Set<String> before = ids(store);
        try (Interruption interruption = Interruption.onShutdown(terminal.complaints(false));
            DiffusionPipeline pipeline = DiffusionPipeline.of(model).devices(devices.devices())
                .plan(devices.plan()).open()) {
            Generation generation = pipeline.submit(ImageRequest.of("").withSteps(1));
            interruption.stops(generation::cancel);
            GeneratedImage picture = generation.result().join();
            if (!quiet.isQuiet()) {
                report(pipeline.devices(), picture, store, before);
            }
        }
        return ExitCode.OK;
    }

    private static Set<String> ids(EngineStore store) {
        return store.list().stream().map(EngineEntry::id).collect(Collectors.toSet());
    }

    private void report(List<Device> opened, GeneratedImage picture, EngineStore store, Set<String> before) {
        List<EngineEntry> engines = store.list();
        long added = engines.stream().filter(engine -> !before.contains(engine.id())).count();
        terminal.out().println("all engines of " + picture.model() + " were ready after "
            + Amounts.time(picture.buildTime()) + "; " + added + " new in " + store.folder() + ", which has "
            + Amounts.count(engines.size(), "engine"));
        if (opened.stream().anyMatch(device -> !device.traits().storesEngines())) {
            terminal.out().println("engines of CPU devices with weight files of less than "
                + Amounts.bytes(EngineStore.WORTH_BYTES_OF_CPU) + " are made at start and not stored");
        }
    }
}
