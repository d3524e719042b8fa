package dev.slipstream.pipelines.diffusion.family;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.diffusion.component.Planes;
import dev.slipstream.pipelines.diffusion.denoise.ConditionValues;
import dev.slipstream.pipelines.diffusion.family.RecipeRequest.Picture;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.diffusion.noise.ForwardNoise;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.run.loop.NoiseTable.Mix;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Stable Diffusion's x4 upscaler: like {@link StableDiffusion}, but the denoiser takes the pixels of the picture to
 * enlarge, blurred with noise, as further channels, and is told how much noise that is. A latent is a pixel of it.
 */
final class Upscaler extends LatentDiffusion {
    static final Set<String> PIPELINES = Set.of("StableDiffusionUpscalePipeline");

    static final String NOISE_LEVEL = "class_labels";
    /** diffusers' defaults. */
    private static final int MOST_NOISE = 350;
    private static final int USUAL_NOISE = 20;

    private final ModelParts parts;

    Upscaler(ModelParts parts) {
        super(StableDiffusion.openTexts(parts), false);
        this.parts = parts;
    }

    @Override
    public Map<String, ConditionValues> told(RecipeRequest request, MicroConditioning sizes, LatentGrid.Size latents) {
        double[] level = {noiseLevel(request.picture().orElseThrow())};
        return Map.of(NOISE_LEVEL, new ConditionValues(Shape.of(), level, level));
    }

    private static int noiseLevel(Picture picture) {
        return picture.noiseLevel().orElse(USUAL_NOISE);
    }

    @Override
    public LatentGrid.Size latents(RecipeRequest request, LatentGrid grid) {
        Image picture = request.picture().orElseThrow().image();
        int factor = grid.pixelsPerLatent();
        refuse(request.height().orElse(picture.height() * factor) != picture.height() * factor
            || request.width().orElse(picture.width() * factor) != picture.width() * factor,
            "this model enlarges a picture " + factor + " times; leave out the size");
        refuse(picture.height() % grid.multiple() != 0 || picture.width() % grid.multiple() != 0,
            "height and width of the given picture must be multiples of " + grid.multiple()
                + " pixels for this model, not " + picture);
        return new LatentGrid.Size(picture.height(), picture.width());
    }

    @Override
    public boolean encodesPicture() {
        return false;
    }

    @Override
    public boolean putsKnownPartBack() {
        return false;
    }

    @Override
    public Optional<float[]> extraChannels(PictureInputs inputs) {
        ConfigFile config = parts.folder().lowResolutionNoise();
        Mix mix = ForwardNoise.parse(config.root().toString(), config.path().toString())
            .at(noiseLevel(inputs.picture()));
        float[] pixels = Planes.of(inputs.picture().image()).values();
        return Optional.of(PictureInputs.joined(inputs.noises().stream().map(noise -> {
            float[] blurred = noise.draw(pixels.length);
            for (int i = 0; i < pixels.length; i++) {
                blurred[i] = (float) (mix.image() * pixels[i] + mix.noise() * blurred[i]);
            }
            return blurred;
        }).toList()));
    }

    @Override
    public void check(RecipeRequest request) {
        refuse(request.picture().isEmpty(), "this model enlarges a picture; give one");
        refuse(request.isMasked() || request.picture().get().saysStrength(),
            "this model enlarges a picture; leave out mask and strength");
        refuseForeign(request);
        int level = noiseLevel(request.picture().get());
        int most = mostNoise();
        refuse(level > most, "the noise level is at most " + most + " for this model, not " + level);
    }

    private int mostNoise() {
        int taught = parts.denoiserFile()
            .map(config -> config.positiveInteger("num_class_embeds", Integer.MAX_VALUE)).orElse(Integer.MAX_VALUE);
        int said = parts.folder().settings().map(settings -> settings.positiveInteger("max_noise_level", MOST_NOISE))
            .orElse(MOST_NOISE);
        return Math.min(said, taught - 1);
    }
}
