package dev.slipstream.pipelines.diffusion.family;

import dev.slipstream.pipelines.diffusion.component.TextEncoders;
import dev.slipstream.pipelines.diffusion.component.TextLayout;
import dev.slipstream.pipelines.diffusion.component.TextLayout.Block;
import dev.slipstream.pipelines.diffusion.component.TextLayout.Encoder;
import dev.slipstream.pipelines.diffusion.component.TextLayout.Pooled;
import dev.slipstream.pipelines.diffusion.component.TextLayout.States;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.folder.Component;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Stable Diffusion 3 and 3.5 (Esser et al. 2024): the states before the last layer of two CLIP text encoders side by
 * side, filled up with zeros to the width of a T5, whose states follow along the tokens, and the pooled texts of both
 * CLIPs. The T5, which takes more memory than all else, may be left out; then zeros are in its place.
 */
final class StableDiffusion3 extends LatentDiffusion {
    static final Set<String> PIPELINES = Set.of("StableDiffusion3Pipeline", "StableDiffusion3Img2ImgPipeline",
        "StableDiffusion3InpaintPipeline", "StableDiffusion3ControlNetPipeline");

    /** The denoiser's input for the pooled texts. */
    static final String POOLED = "pooled_projections";
    /** diffusers' {@code max_sequence_length}. */
    private static final int T5_TOKENS = 256;

    /** diffusers' defaults. */
    private static final Usual USUAL = new Usual(28, 7);

    private final ModelParts parts;

    StableDiffusion3(ModelParts parts) {
        super(TextEncoders.open(parts.folder(), layout(parts)), false);
        this.parts = parts;
    }

    private static TextLayout layout(ModelParts parts) {
        List<Encoder> clips = List.of(new Encoder(Component.TEXT_ENCODER, States.PENULTIMATE, Pooled.PROJECTED),
            new Encoder(Component.TEXT_ENCODER_2, States.PENULTIMATE, Pooled.PROJECTED));
        Block t5 = parts.folder().has(Component.TEXT_ENCODER_3)
            ? new Block(List.of(new Encoder(Component.TEXT_ENCODER_3, States.LAST, Pooled.NONE,
                OptionalInt.of(T5_TOKENS))), 0) : new Block(List.of(), T5_TOKENS);
        return new TextLayout(List.of(new Block(clips, 0), t5), POOLED,
            parts.denoiser().fixedSize(TextEncoders.STATES, 2), false);
    }

    @Override
    public Usual usual() {
        return USUAL;
    }

    /** Sides are as long as the checkpoint's table of positions at most. */
    @Override
    public LatentGrid.Size latents(RecipeRequest request, LatentGrid grid) {
        LatentGrid.Size size = super.latents(request, grid);
        Optional<ConfigFile> config = parts.denoiserFile().filter(file -> file.has("pos_embed_max_size"));
        config.ifPresent(file -> {
            int most = file.positiveInteger("pos_embed_max_size") * grid.multiple();
            refuse(Math.max(size.height(), size.width()) > most, "this model draws sides of at most "
                + most * grid.pixelsPerLatent() + " pixels; take a smaller size");
        });
        return size;
    }
}
