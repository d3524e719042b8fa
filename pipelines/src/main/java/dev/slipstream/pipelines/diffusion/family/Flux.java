package dev.slipstream.pipelines.diffusion.family;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.diffusion.component.TextEncoders;
import dev.slipstream.pipelines.diffusion.component.TextLayout;
import dev.slipstream.pipelines.diffusion.component.TextLayout.Block;
import dev.slipstream.pipelines.diffusion.component.TextLayout.Encoder;
import dev.slipstream.pipelines.diffusion.component.TextLayout.Pooled;
import dev.slipstream.pipelines.diffusion.component.TextLayout.States;
import dev.slipstream.pipelines.diffusion.denoise.ConditionValues;
import dev.slipstream.pipelines.model.RequestException;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.run.loop.Guidance;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/**
 * FLUX.1 (Black Forest Labs 2024): the states of a T5 and the pooled text of a CLIP. The denoiser is told where each of
 * its tokens is in the picture, and how much the prompt counts, as it was taught guidance, so that nothing is predicted
 * twice; {@code schnell} draws in few steps and takes no guidance at all.
 */
class Flux extends LatentDiffusion {
    static final Set<String> PIPELINES = Set.of("FluxPipeline", "FluxImg2ImgPipeline", "FluxInpaintPipeline");

    static final String IMAGE_PLACES = "img_ids";
    private static final String TEXT_PLACES = "txt_ids";
    private static final String GUIDANCE = "guidance";
    /** A text has none, then the row and the column of a patch. */
    private static final int AXES = 3;
    /** Patches of 2x2 latents are tokens, and the timestep is a share of the training's thousand. */
    static final LoopForm FORM =
        LoopForm.pictures(2, 1000, List.of(IMAGE_PLACES, TEXT_PLACES), false, false, true);

    /** diffusers' {@code max_sequence_length}; schnell was taught texts half as long. */
    private static final int T5_TOKENS = 512;

    /** diffusers' defaults. */
    private static final Usual DEV = new Usual(28, 3.5);
    private static final Usual SCHNELL = new Usual(4, 0);

    private final ModelParts parts;

    Flux(ModelParts parts) {
        this(parts, false);
    }

    /** @param takesMaskedPicture whether a mask and a known part are further channels */
    Flux(ModelParts parts, boolean takesMaskedPicture) {
        super(TextEncoders.open(parts.folder(), layout(parts)), takesMaskedPicture);
        this.parts = parts;
    }

    private static TextLayout layout(ModelParts parts) {
        return new TextLayout(List.of(new Block(List.of(
            new Encoder(Component.TEXT_ENCODER, States.NONE, Pooled.STATE),
            new Encoder(Component.TEXT_ENCODER_2, States.LAST, Pooled.NONE, OptionalInt.of(textTokens(parts)))), 0)),
            "pooled_projections", OptionalLong.empty(), false);
    }

    private static int textTokens(ModelParts parts) {
        return parts.reads(GUIDANCE) ? T5_TOKENS : T5_TOKENS / 2;
    }

    @Override
    public Map<String, ConditionValues> told(RecipeRequest request, MicroConditioning sizes, LatentGrid.Size latents) {
        Map<String, ConditionValues> told = new LinkedHashMap<>();
        told.put(IMAGE_PLACES, places(latents));
        told.put(TEXT_PLACES, rows(new double[textTokens(parts) * AXES]));
        if (parts.reads(GUIDANCE)) {
            double[] weight = {request.guidanceWeight()};
            told.put(GUIDANCE, new ConditionValues(Shape.of(), weight, weight));
        }
        return told;
    }

    private ConditionValues places(LatentGrid.Size latents) {
        int patch = parts.denoiser().sideMultiple();
        int columns = Math.toIntExact(latents.width() / patch);
        double[] places = new double[Math.toIntExact(latents.height() / patch * columns * AXES)];
        for (int token = 0; token < places.length / AXES; token++) {
            places[token * AXES + 1] = token / columns;
            places[token * AXES + 2] = token % columns;
        }
        return rows(places);
    }

    private static ConditionValues rows(double[] places) {
        return new ConditionValues(Shape.of(places.length / AXES, AXES), places, places);
    }

    @Override
    public Usual usual() {
        return parts.reads(GUIDANCE) ? DEV : SCHNELL;
    }

    @Override
    public Guidance guidance(Guidance wanted) {
        if (wanted.isRescaled()) {
            throw new RequestException("guidance is rescaled where there is some: leave out the rescale, as this model "
                + "was taught guidance");
        }
        return Guidance.NONE;
    }
}
