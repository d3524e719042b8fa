package dev.slipstream.samples;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.store.EngineEntry;
import dev.slipstream.bridge.store.EngineStore;
import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.GeneratedImage;
import dev.slipstream.pipelines.diffusion.Generation;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Fills the store ahead of use. */
@Command(name = "build", description = {"Builds all engines of a model and keeps them in the store.",
    "They are those for single pictures of the model's own size, with guidance. A picture in one step is drawn with "
        + "them and thrown away, so they are known to run."},
    footer = {"",
        "Examples:",
        "  slipstream engines build DIR --devices cuda:0",
        "  slipstream engines build DIR --plan asyncdiff:n=3 --devices cuda:0,cuda:1,cuda:2"})
final class EnginesBuildCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Parameters(paramLabel = "DIR", description = "The model: a folder in the layout of diffusers' ONNX pipelines.")
    private Path model;

    @Mixin
    private DeviceOptions devices;

    @Mixin
    private StoreOptions options;

    EnginesBuildCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        // Providers find the store by this.
        System.setProperty(EngineStore.FOLDER_PROPERTY, options.path().toString());
        EngineStore store = options.store();
        Set<String> before = ids(store);
        try (Interruption interruption = Interruption.onShutdown(terminal.err()); DiffusionPipeline pipeline =
            DiffusionPipeline.of(model).devices(devices.devices()).plan(devices.plan()).open()) {
            Generation generation = pipeline.submit(ImageRequest.of("").withSteps(1));
            interruption.stops(generation::cancel);
            report(pipeline.devices(), generation.result().join(), store, before);
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
            + Amounts.time(picture.build()) + "; " + added + " new in " + store.folder() + ", which has "
            + Amounts.count(engines.size(), "engine"));
        if (opened.stream().anyMatch(device -> device.name().startsWith("cpu:"))) {
            terminal.out().println("engines of CPU devices are made at start and not stored");
        }
    }
}
