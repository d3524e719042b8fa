package dev.slipstream.pipelines.diffusion.family;

import dev.slipstream.pipelines.diffusion.component.TextEncoders;
import dev.slipstream.pipelines.diffusion.component.TextLayout;
import dev.slipstream.pipelines.diffusion.component.TextLayout.Encoder;
import dev.slipstream.pipelines.diffusion.component.TextLayout.States;
import dev.slipstream.pipelines.diffusion.noise.NoiseScheduler.Repair;
import dev.slipstream.pipelines.model.folder.Component;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Stable Diffusion 1 and 2 (Rombach et al. 2022), inpainting models included: one text encoder, of which the last
 * states are read; the denoiser is told nothing else. An inpainting model takes a mask and the latents of the known
 * part as further channels.
 */
final class StableDiffusion extends LatentDiffusion {
    private static final String INPAINTING = "StableDiffusionInpaintPipeline";
    /** Those that mend noise schedulers. */
    private static final Set<String> MENDING =
        Set.of("StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline", INPAINTING);
    static final Set<String> PIPELINES = Stream.concat(MENDING.stream(), Stream.of("StableDiffusionControlNetPipeline",
        "StableDiffusionControlNetImg2ImgPipeline", "StableDiffusionControlNetInpaintPipeline"))
        .collect(Collectors.toUnmodifiableSet());

    StableDiffusion(ModelParts parts) {
        super(openTexts(parts), parts.takesMaskedPicture());
    }

    /** What a pipeline mends in the configuration of a noise scheduler; those of other families leave it as it is. */
    static Set<Repair> repairs(String pipeline) {
        if (!MENDING.contains(pipeline)) {
            return Set.of();
        }
        return pipeline.equals(INPAINTING) ? EnumSet.allOf(Repair.class)
            : EnumSet.of(Repair.STEPS_OFFSET, Repair.NO_CLIPPING);
    }

    static TextEncoders openTexts(ModelParts parts) {
        return TextEncoders.open(parts.folder(),
            TextLayout.sideBySide(List.of(new Encoder(Component.TEXT_ENCODER, States.LAST)), false));
    }
}
