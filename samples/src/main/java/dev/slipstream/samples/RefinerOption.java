package dev.slipstream.samples;

import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** Which second model takes the last steps, and where it takes over. */
public final class RefinerOption {
    @Option(names = "--refiner", paramLabel = "DIR", order = 7,
        description = "A second model that takes the last steps and decodes the picture: SDXL's refiner, or any other "
            + "with latents of the same kind. It has the same prompts, plan and devices; LoRAs change the first model.")
    private Path refiner;

    @Option(names = "--handover", paramLabel = "SHARE", order = 8,
        description = "Where the refiner takes over, as a share of the way from noise to picture (0.8).")
    private Double handover;

    /** The files of its components. */
    List<Path> files() {
        return refiner == null ? List.of() : Overwriting.modelFiles(refiner);
    }

    /** Adds the refiner, if there is one. @throws InputException if it is said where it takes over, but not which */
    public DiffusionPipeline.Builder addTo(DiffusionPipeline.Builder pipeline) {
        if (refiner == null && handover != null) {
            throw new InputException("--handover says where a refiner takes over; name one with --refiner DIR");
        }
        return refiner == null ? pipeline
            : handover == null ? pipeline.refiner(refiner) : pipeline.refiner(refiner, handover);
    }
}
