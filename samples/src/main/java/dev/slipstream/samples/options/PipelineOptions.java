package dev.slipstream.samples.options;

import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.InputException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The pipeline that a request runs on: which models, on which devices, by which plan, in which precision. */
public final class PipelineOptions {
    @Mixin
    private ModelOptions model;

    @Mixin
    private DeviceOptions devices;

    @Mixin
    private PrecisionOption precision;

    @Option(names = "--refiner", paramLabel = "DIR", order = HelpLayout.MODEL + 3,
        description = "A second model that takes the last steps and decodes the picture: SDXL's refiner, or any other "
            + "with latents of the same kind. It has the same prompts, plan and devices; LoRAs change the first model.")
    private Path refiner;

    @Option(names = "--handover", paramLabel = "SHARE", order = HelpLayout.MODEL + 4,
        description = "Where the refiner takes over, as a share of the way from noise to picture (0.8).")
    private Double handover;

    @Option(names = "--tiles", paramLabel = "SIZE", order = HelpLayout.DEVICES + 3, defaultValue = "off",
        completionCandidates = Sizes.class,
        description = "Decode, and encode given pictures, in overlapping tiles of SIZE pixels a side, or with auto of "
            + "the size that the model's autoencoder was trained on: less memory for large pictures, whose colours "
            + "may shift a little from tile to tile (${DEFAULT-VALUE}).")
    private String tiles;

    private static final class Sizes implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return List.of("auto", "off").iterator();
        }
    }

    /** The files of all components, which are read. */
    public List<Path> files() {
        List<Path> files = new ArrayList<>(model.files());
        if (refiner != null) {
            files.addAll(ResultFiles.ofModel(refiner));
        }
        return files;
    }

    /** What who asked for this plan should know of so many steps. */
    public List<String> warnings(int steps) {
        return devices.warnings(steps);
    }

    /** The devices in the plan's order, as {@link dev.slipstream.bridge.DeviceSpec#parse} reads them. */
    public List<String> devices() {
        return List.of(devices.devices());
    }

    /** The pipeline, not yet open. @throws InputException if there is a hand-over but no refiner */
    public DiffusionPipeline.Builder pipeline() {
        if (refiner == null && handover != null) {
            throw new InputException("--handover says where a refiner takes over; name one with --refiner DIR");
        }
        DiffusionPipeline.Builder pipeline = model.pipeline();
        if (refiner != null) {
            pipeline = handover == null ? pipeline.refiner(refiner) : pipeline.refiner(refiner, handover);
        }
        return devices.apply(pipeline).precision(precision.precision().type()).tiles(tiles);
    }
}
