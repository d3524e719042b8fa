package dev.slipstream.pipelines.diffusion.family;

import dev.slipstream.pipelines.diffusion.component.Planes;
import dev.slipstream.pipelines.diffusion.component.TextEncoders;
import dev.slipstream.pipelines.diffusion.family.RecipeRequest.Picture;
import java.util.Optional;
import java.util.Set;

/**
 * FLUX.1 canny and depth (Black Forest Labs 2024): draws along the edges or the depths that the given picture shows,
 * the latents of which the denoiser takes behind those that it draws.
 */
final class FluxControl extends Flux {
    static final Set<String> PIPELINES = Set.of("FluxControlPipeline");

    private FluxControl(TextEncoders texts, ModelParts parts) {
        super(texts, parts, false);
    }

    static Optional<Recipe> open(ModelParts parts) {
        return texts(parts, parts.config().outChannels()).map(texts -> new FluxControl(texts, parts));
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
        Picture shown = inputs.picture().scaledTo(inputs.width(), inputs.height());
        return Optional.of(inputs.encoder().orElseThrow().encode(Planes.of(shown.image()), inputs.noises(), 0));
    }

    @Override
    public void check(RecipeRequest request) {
        super.check(request);
        refuse(request.picture().isEmpty(), "this model draws along a picture of edges or depths; give one");
        refuse(request.isMasked() || request.picture().get().saysStrength(),
            "this model draws along the picture; leave out mask and strength");
    }
}
