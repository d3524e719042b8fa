package dev.slipstream.pipelines.diffusion.family;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.diffusion.component.TextEncoders;
import dev.slipstream.pipelines.diffusion.component.TextLayout;
import dev.slipstream.pipelines.diffusion.component.TextLayout.Encoder;
import dev.slipstream.pipelines.diffusion.component.TextLayout.Pooled;
import dev.slipstream.pipelines.diffusion.component.TextLayout.States;
import dev.slipstream.pipelines.diffusion.denoise.ConditionValues;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.folder.Component;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * SDXL (Podell et al. 2023), inpainting models included: the states before the last layer of two text encoders, the
 * pooled text of the second, and six sizes. Its refiner has the second encoder only, and is told how good the picture
 * is to be instead of its target size.
 */
class StableDiffusionXl extends LatentDiffusion {
    static final Set<String> PIPELINES = Set.of("StableDiffusionXLPipeline", "StableDiffusionXLImg2ImgPipeline",
        "StableDiffusionXLInpaintPipeline", "StableDiffusionXLControlNetPipeline",
        "StableDiffusionXLControlNetImg2ImgPipeline", "StableDiffusionXLControlNetInpaintPipeline");

    private static final String SIZES = "time_ids";
    private static final int BASE_SIZES = 6;
    private static final int REFINER_SIZES = 5;

    private final boolean tellsSizes;

    private StableDiffusionXl(TextEncoders texts, ModelParts parts) {
        super(texts, parts.takesMaskedPicture());
        this.tellsSizes = parts.reads(SIZES);
    }

    static Recipe open(ModelParts parts) {
        TextEncoders texts = TextEncoders.open(parts.folder(), layout(parts));
        try {
            boolean refiner = parts.reads(SIZES) && sizeCount(parts, texts) == REFINER_SIZES;
            return refiner ? new Refiner(texts, parts) : new StableDiffusionXl(texts, parts);
        } catch (RuntimeException | Error failure) {
            texts.close();
            throw failure;
        }
    }

    private static TextLayout layout(ModelParts parts) {
        List<Encoder> encoders = new ArrayList<>();
        if (parts.folder().has(Component.TEXT_ENCODER)) {
            encoders.add(new Encoder(Component.TEXT_ENCODER, States.PENULTIMATE));
        }
        encoders.add(new Encoder(Component.TEXT_ENCODER_2, States.PENULTIMATE, Pooled.PROJECTED));
        return TextLayout.sideBySide(encoders, parts.folder().settings()
            .map(settings -> settings.flag("force_zeros_for_empty_prompt", true)).orElse(true));
    }

    /** How many sizes the denoiser is told: its time embedding has what the text leaves of the projection's width. */
    private static int sizeCount(ModelParts parts, TextEncoders texts) {
        Optional<ConfigFile> config = parts.denoiserFile();
        if (config.isEmpty()) {
            return BASE_SIZES;
        }
        long text = texts.types(1).get(TextEncoders.POOLED).shape().dim(1);
        int all = config.get().positiveInteger("projection_class_embeddings_input_dim");
        int each = config.get().positiveInteger("addition_time_embed_dim");
        long count = (all - text) / each;
        if (all - text != count * each || count != BASE_SIZES && count != REFINER_SIZES) {
            throw new ModelException(config.get().path() + ": \"projection_class_embeddings_input_dim\" is " + all
                + ", which is not a text of " + text + " and 5 or 6 sizes of " + each);
        }
        return (int) count;
    }

    @Override
    boolean tellsSizes() {
        return tellsSizes;
    }

    @Override
    public Map<String, ConditionValues> told(RecipeRequest request, MicroConditioning sizes, LatentGrid.Size latents) {
        return tellsSizes ? Map.of(SIZES, sizes(sizes)) : Map.of();
    }

    ConditionValues sizes(MicroConditioning sizes) {
        return ConditionValues.of(sizes.originalHeight(), sizes.originalWidth(), sizes.cropTop(), sizes.cropLeft(),
            sizes.targetHeight(), sizes.targetWidth());
    }

    /** Takes the last steps of a picture, or draws one anew. */
    private static final class Refiner extends StableDiffusionXl {
        /** The marks for the prompts, of 10: diffusers' defaults. */
        private static final double GOOD = 6;
        private static final double BAD = 2.5;

        private Refiner(TextEncoders texts, ModelParts parts) {
            super(texts, parts);
        }

        @Override
        ConditionValues sizes(MicroConditioning sizes) {
            return new ConditionValues(Shape.of(REFINER_SIZES), marked(sizes, BAD), marked(sizes, GOOD));
        }

        private static double[] marked(MicroConditioning sizes, double mark) {
            return new double[] {sizes.originalHeight(), sizes.originalWidth(), sizes.cropTop(), sizes.cropLeft(),
                mark};
        }

        @Override
        public void check(RecipeRequest request) {
            super.check(request);
            refuse(request.begins() && request.picture().isEmpty(), "this model refines a picture that another has "
                + "drawn; give one, or let the other model begin and make this one its refiner");
        }
    }
}
