package dev.slipstream.samples.bench;

import dev.slipstream.pipelines.diffusion.Blueprint;
import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.PipelineDraft;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.plan.Sequential;
import dev.slipstream.samples.verify.LoopInputs;
import dev.slipstream.samples.verify.ReferenceFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** A denoiser whose steps are measured, whole, for one guided picture: a batch of two. */
record StepModel(String name, Precision precision, Blueprint blueprint) {
    /** Of a model folder, in its own size, or of a folder of reference cases, in the size of these. */
    static StepModel open(Path folder, Precision precision) {
        String name = folder.toAbsolutePath().normalize().getFileName().toString();
        if (!Files.exists(folder.resolve("inputs.safetensors"))) {
            try (PipelineDraft draft = DiffusionPipeline.of(folder).precision(precision).draft()) {
                return new StepModel(name, precision, draft.blueprint(ImageRequest.of("")));
            }
        }
        try (ReferenceFolder reference = ReferenceFolder.open(folder, Optional.empty(), precision)) {
            LoopInputs inputs = LoopInputs.read(reference.inputs(), reference.model());
            return new StepModel(name, precision,
                Blueprint.draw(reference.model(), inputs.shape(), new Sequential(), 1));
        }
    }
}
