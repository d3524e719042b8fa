package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.Conditioning.Size;
import dev.slipstream.pipelines.diffusion.Conditioning.Sizes;
import dev.slipstream.pipelines.model.Component;
import dev.slipstream.pipelines.model.ConfigFile;
import dev.slipstream.pipelines.model.ModelException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.DoubleStream;

/**
 * What a denoiser reads in every step beside latents, time and text: a few numbers, by the names of its inputs.
 *
 * @param model which of them it reads
 */
record Conditions(PipelineModel model) {
    static final String SIZES = "time_ids";
    static final String NOISE_LEVEL = "class_labels";
    static final String GUIDANCE = "timestep_cond";
    private static final int BASE_SIZES = 6;
    private static final int REFINER_SIZES = 5;
    /** The refiner's marks for the prompts, of 10: diffusers' defaults. */
    private static final double GOOD = 6;
    private static final double BAD = 2.5;
    /** diffusers' default. */
    private static final int MOST_NOISE = 350;

    /**
     * The numbers of one condition.
     *
     * @param row its shape for one prompt
     */
    record Numbers(Shape row, double[] unconditional, double[] conditional) {
        private static Numbers of(double... same) {
            return new Numbers(Shape.of(same.length), same, same);
        }

        /** The type of a condition for both prompts; float32 if it is none of the denoiser's own. */
        TensorType type(DenoiserModel denoiser, String name) {
            long[] dims = new long[row.rank() + 1];
            dims[0] = 2;
            System.arraycopy(row.toArray(), 0, dims, 1, row.rank());
            return new TensorType(denoiser.graph().isInput(name) ? denoiser.elementType(name) : DataType.FLOAT32,
                Shape.of(dims));
        }
    }

    /**
     * All that the denoiser reads for a request.
     *
     * @param picture size of what is drawn
     * @param mask of what is drawn, if the denoiser's own graph has none
     */
    Map<String, Numbers> of(ImageRequest request, Size picture, Optional<RepaintMask> mask) {
        Map<String, Numbers> numbers = new LinkedHashMap<>();
        if (reads(SIZES)) {
            numbers.put(SIZES, sizes(request.conditioning().sizes(), picture));
        } else if (request.conditioning().sizes().isPresent()) {
            throw new IllegalArgumentException("original size, crop and target size are for SDXL; this model is told "
                + "nothing of sizes, leave them out");
        }
        if (model.extra() == ExtraChannels.PICTURE) {
            double level = noiseLevel(request.given().orElseThrow());
            numbers.put(NOISE_LEVEL, new Numbers(Shape.of(), new double[] {level}, new double[] {level}));
        }
        if (reads(GUIDANCE)) {
            numbers.put(GUIDANCE, Numbers.of(guidance(request.guidance().weight())));
        }
        mask.ifPresent(it -> numbers.put(RepaintMask.INPUT, it.numbers()));
        return numbers;
    }

    private int noiseLevel(GivenImage given) {
        int most = Math.min(model.folder().settings()
            .map(settings -> settings.positiveInteger("max_noise_level", MOST_NOISE)).orElse(MOST_NOISE),
            model.folder().config(Component.DENOISER).map(config -> config.positiveInteger("num_class_embeds",
                Integer.MAX_VALUE)).orElse(Integer.MAX_VALUE) - 1);
        if (given.usedNoiseLevel() > most) {
            throw new IllegalArgumentException("the noise level is at most " + most + " for this model, not "
                + given.usedNoiseLevel());
        }
        return given.usedNoiseLevel();
    }

    private boolean reads(String input) {
        return model.denoiser().ports().conditions().contains(input);
    }

    /** Whether the model itself was taught guidance, so that nothing is predicted twice (Meng et al. 2022). */
    boolean isDistilled() {
        return reads(GUIDANCE);
    }

    /** Whether the model only refines a picture that another has drawn. */
    boolean isRefiner() {
        return reads(SIZES) && sizeCount() == REFINER_SIZES;
    }

    private Numbers sizes(Optional<Sizes> told, Size picture) {
        Size original = told.flatMap(Sizes::original).orElse(picture);
        Size target = told.flatMap(Sizes::target).orElse(picture);
        double[] sizes = {original.height(), original.width(), told.map(Sizes::cropTop).orElse(0),
            told.map(Sizes::cropLeft).orElse(0)};
        if (sizeCount() == BASE_SIZES) {
            return Numbers.of(joined(sizes, target.height(), target.width()));
        }
        return new Numbers(Shape.of(REFINER_SIZES), joined(sizes, BAD), joined(sizes, GOOD));
    }

    private static double[] joined(double[] first, double... rest) {
        return DoubleStream.concat(DoubleStream.of(first), DoubleStream.of(rest)).toArray();
    }

    /** How many sizes the denoiser is told: its time embedding has what the text leaves of the projection's width. */
    private int sizeCount() {
        Optional<ConfigFile> config = model.folder().config(Component.DENOISER);
        if (config.isEmpty()) {
            return BASE_SIZES;
        }
        long text = model.texts().types(1).get(TextModels.POOLED).shape().dim(1);
        int all = config.get().positiveInteger("projection_class_embeddings_input_dim");
        int each = config.get().positiveInteger("addition_time_embed_dim");
        long count = (all - text) / each;
        if (all - text != count * each || count != BASE_SIZES && count != REFINER_SIZES) {
            throw new ModelException(config.get().path() + ": \"projection_class_embeddings_input_dim\" is " + all
                + ", which is not a text of " + text + " and 5 or 6 sizes of " + each);
        }
        return (int) count;
    }

    /** Sinusoids of the guidance less 1, in thousandths, as diffusers' consistency pipelines embed it. */
    private double[] guidance(double weight) {
        ConfigFile config = model.folder().config(Component.DENOISER)
            .orElseThrow(() -> new ModelException(model.folder() + ": the denoiser reads " + GUIDANCE
                + ", but has no config.json that tells its width"));
        int width = config.positiveInteger("time_cond_proj_dim");
        int half = width / 2;
        double[] embedded = new double[width];
        for (int i = 0; i < half; i++) {
            double angle = 1000 * (weight - 1) * Math.exp(-i * Math.log(10000) / (half - 1));
            embedded[i] = Math.sin(angle);
            embedded[half + i] = Math.cos(angle);
        }
        return embedded;
    }
}
