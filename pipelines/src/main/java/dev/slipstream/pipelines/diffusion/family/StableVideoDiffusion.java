package dev.slipstream.pipelines.diffusion.family;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.diffusion.component.PictureReader;
import dev.slipstream.pipelines.diffusion.component.Planes;
import dev.slipstream.pipelines.diffusion.component.TextEncoders;
import dev.slipstream.pipelines.diffusion.component.TextLayout;
import dev.slipstream.pipelines.diffusion.denoise.ConditionValues;
import dev.slipstream.pipelines.diffusion.family.RecipeRequest.Film;
import dev.slipstream.pipelines.diffusion.family.RecipeRequest.Wording;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.run.loop.Guidance;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * Stable Video Diffusion (Blattmann et al. 2023): a picture begins to move. The denoiser is told what the picture shows
 * in one token in place of a text, has its latents behind those of every frame, and is told frame rate, amount of
 * motion and noise. How much all that counts grows from the first frame to the last. Frames are decoded together.
 */
record StableVideoDiffusion(TextEncoders texts, PictureReader.OnPaper reader, ModelParts parts) implements Recipe {
    static final Set<String> PIPELINES = Set.of("StableVideoDiffusionPipeline");

    static final String NUMBERS = "added_time_ids";
    static final LoopForm FORM = LoopForm.videos(new LoopForm.Frames(1, "image_latents", List.of()));

    /** diffusers' defaults. */
    private static final int FRAMES = 25;
    private static final int FRAMES_PER_SECOND = 7;
    private static final int MOTION = 127;
    private static final double NOISE = 0.02;
    private static final double FIRST_GUIDANCE = 1;
    private static final Usual USUAL = new Usual(25, 3);
    private static final int HEIGHT = 576;
    private static final int WIDTH = 1024;

    static Recipe open(ModelParts parts) {
        return new StableVideoDiffusion(TextEncoders.open(parts.folder(), TextLayout.NONE),
            PictureReader.OnPaper.open(parts.folder()), parts);
    }

    @Override
    public Optional<Filming> filming(RecipeRequest request) {
        Film film = request.film().orElse(Film.USUAL);
        int frames = film.frames().orElseGet(() -> parts.denoiserFile()
            .map(config -> config.positiveInteger("num_frames", FRAMES)).orElse(FRAMES));
        return Optional.of(new Filming(frames, film.framesPerSecond().orElse(FRAMES_PER_SECOND),
            Math.min(frames, film.together().orElse(frames)),
            OptionalDouble.of(film.firstGuidance().orElse(FIRST_GUIDANCE))));
    }

    @Override
    public Map<String, ConditionValues> told(RecipeRequest request, MicroConditioning sizes, LatentGrid.Size latents) {
        Film film = request.film().orElse(Film.USUAL);
        return Map.of(NUMBERS, ConditionValues.of(film.framesPerSecond().orElse(FRAMES_PER_SECOND) - 1,
            film.motion().orElse(MOTION), noise(request.film())));
    }

    private static double noise(Optional<Film> film) {
        return film.orElse(Film.USUAL).noise().orElse(NOISE);
    }

    /** The size that is said, else that of diffusers, or of models that were trained on less. Pictures are scaled. */
    @Override
    public LatentGrid.Size latents(RecipeRequest request, LatentGrid grid) {
        LatentGrid.Size small = grid.usual();
        boolean isSmall = Math.max(small.height(), small.width()) * grid.pixelsPerLatent() < HEIGHT;
        LatentGrid.Size usual = isSmall ? small
            : new LatentGrid.Size(HEIGHT / grid.pixelsPerLatent(), WIDTH / grid.pixelsPerLatent());
        return new LatentGrid(grid.pixelsPerLatent(), grid.multiple(), usual).wanted(new RecipeRequest(
            request.width(), request.height(), request.guidanceWeight(), request.wording(), false, Optional.empty(),
            true));
    }

    @Override
    public boolean encodesPicture() {
        return true;
    }

    @Override
    public boolean startsFromPicture() {
        return false;
    }

    @Override
    public boolean putsKnownPartBack() {
        return false;
    }

    @Override
    public Optional<float[]> extraChannels(PictureInputs inputs) {
        return Optional.empty();
    }

    @Override
    public Optional<PictureReader.OnPaper> pictureReader() {
        return Optional.of(reader);
    }

    @Override
    public Map<String, Shape> shown(LatentGrid.Size latents) {
        return Map.of(TextEncoders.STATES, Shape.of(1, reader.width()), FORM.frames().picture(),
            Shape.of(1, parts.config().outChannels(), latents.height(), latents.width()));
    }

    @Override
    public Map<String, ConditionValues> show(PictureInputs inputs) {
        Image picture = inputs.picture().image();
        float[] token = inputs.reader().orElseThrow().read(picture);
        Planes blurred = Planes.of(inputs.picture().scaledTo(inputs.width(), inputs.height()).image());
        float[] noise = inputs.noises().getFirst().draw(blurred.values().length);
        for (int i = 0; i < noise.length; i++) {
            blurred.values()[i] += (float) noise(inputs.film()) * noise[i];
        }
        float[] seen = inputs.encoder().orElseThrow().likeliest(blurred);
        return Map.of(TextEncoders.STATES, known(Shape.of(1, token.length), token), FORM.frames().picture(),
            known(Shape.of(1, parts.config().outChannels(), inputs.height() / inputs.pixelsPerLatent(),
                inputs.width() / inputs.pixelsPerLatent()), seen));
    }

    /** Zeros where the picture is not known. */
    private static ConditionValues known(Shape shape, float[] values) {
        double[] wide = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            wide[i] = values[i];
        }
        return new ConditionValues(shape, new double[values.length], wide);
    }

    @Override
    public Guidance guidance(Guidance wanted) {
        LatentDiffusion.refuse(wanted.isRescaled(), "the guidance of this model is not rescaled; leave that out");
        return wanted;
    }

    @Override
    public Usual usual() {
        return USUAL;
    }

    @Override
    public void check(RecipeRequest request) {
        LatentDiffusion.refuse(request.picture().isEmpty(), "this model makes a video of a picture; give one");
        Wording said = request.wording();
        LatentDiffusion.refuse(!said.prompt().isBlank() || !said.negative().isBlank() || said.label().isPresent()
            || said.reading().weighted() || said.reading().whole() || said.clipSkip() > 0,
            "this model sees a picture and reads no text; leave out prompts, how they are read, and classes");
        LatentDiffusion.refuse(request.saysSizes(), "original size, crop and target size are for SDXL; leave them out");
    }
}
