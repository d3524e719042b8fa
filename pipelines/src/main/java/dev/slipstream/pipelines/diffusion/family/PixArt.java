package dev.slipstream.pipelines.diffusion.family;

import dev.slipstream.pipelines.diffusion.component.TextEncoders;
import dev.slipstream.pipelines.diffusion.component.TextLayout;
import dev.slipstream.pipelines.diffusion.component.TextLayout.Block;
import dev.slipstream.pipelines.diffusion.component.TextLayout.Encoder;
import dev.slipstream.pipelines.diffusion.component.TextLayout.Pooled;
import dev.slipstream.pipelines.diffusion.component.TextLayout.States;
import dev.slipstream.pipelines.diffusion.denoise.ConditionValues;
import dev.slipstream.pipelines.model.folder.Component;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/**
 * PixArt-Alpha and PixArt-Sigma (Chen et al. 2023, 2024): the states of a T5, which reads the prompt in small letters,
 * and which of them are the prompt's. Some models are told height, width and their ratio. They were taught some sizes,
 * in one of which each picture is drawn; only where a picture is given it is drawn in the size that is wanted, as
 * diffusers draws from none.
 */
final class PixArt extends LatentDiffusion {
    private static final String ALPHA = "PixArtAlphaPipeline";
    static final Set<String> PIPELINES = Set.of(ALPHA, "PixArtSigmaPipeline");

    static final String MASK = "encoder_attention_mask";
    private static final String RESOLUTION = "resolution";
    private static final String ASPECT_RATIO = "aspect_ratio";
    static final LoopForm FORM = LoopForm.pictures(1, 1, List.of(), true, false, false);
    /** diffusers' {@code max_sequence_length}. */
    private static final int ALPHA_TOKENS = 120;
    private static final int SIGMA_TOKENS = 300;
    /** diffusers' defaults. */
    private static final Usual USUAL = new Usual(20, 4.5);

    private final ModelParts parts;

    PixArt(ModelParts parts) {
        super(TextEncoders.open(parts.folder(), layout(parts)), false);
        this.parts = parts;
    }

    private static TextLayout layout(ModelParts parts) {
        boolean alpha = parts.folder().pipelineClass().filter(ALPHA::equals).isPresent();
        return new TextLayout(List.of(new Block(List.of(new Encoder(Component.TEXT_ENCODER, States.LAST, Pooled.NONE,
            OptionalInt.of(alpha ? ALPHA_TOKENS : SIGMA_TOKENS))), 0)), TextEncoders.POOLED, OptionalLong.empty(),
            false, Optional.of(MASK), true);
    }

    @Override
    public Usual usual() {
        return USUAL;
    }

    @Override
    public LatentGrid.Size latents(RecipeRequest request, LatentGrid grid) {
        int pixels = grid.pixelsPerLatent();
        Optional<AspectRatios> ratios = request.picture().isPresent() || grid.usual().height() != grid.usual().width()
            ? Optional.empty() : AspectRatios.of(Math.toIntExact(grid.usual().width() * pixels));
        if (ratios.isEmpty()) {
            return super.latents(request, grid);
        }
        long side = grid.usual().width() * pixels;
        LatentGrid.Size size = ratios.get().nearest(request.height().isPresent() ? request.height().getAsInt() : side,
            request.width().isPresent() ? request.width().getAsInt() : side);
        return new LatentGrid.Size(size.height() / pixels, size.width() / pixels);
    }

    @Override
    public Map<String, ConditionValues> told(RecipeRequest request, MicroConditioning sizes, LatentGrid.Size latents) {
        Map<String, ConditionValues> told = new LinkedHashMap<>();
        if (parts.reads(RESOLUTION)) {
            told.put(RESOLUTION, ConditionValues.of(sizes.targetHeight(), sizes.targetWidth()));
        }
        if (parts.reads(ASPECT_RATIO)) {
            told.put(ASPECT_RATIO, ConditionValues.of((double) latents.height() / latents.width()));
        }
        return told;
    }

    @Override
    public void check(RecipeRequest request) {
        super.check(request);
        refuse(request.wording().clipSkip() > 0,
            "clip_skip is for CLIP's text encoders; this model has a T5, leave it out");
    }
}
