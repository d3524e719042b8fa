package dev.slipstream.pipelines.diffusion.family;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.diffusion.component.PictureReader;
import dev.slipstream.pipelines.diffusion.component.TextEncoders;
import dev.slipstream.pipelines.diffusion.denoise.ConditionValues;
import dev.slipstream.pipelines.run.loop.Guidance;
import java.util.Map;
import java.util.Optional;

/**
 * What is different in a family of models. The rest of a pipeline asks these questions and knows no family; what a
 * recipe does not know it refuses by name. Immutable but for {@link #texts}; any thread may use it.
 *
 * @see Family which family a model is of
 */
public interface Recipe {
    /** The text encoders, and how what they make is put together. The owner of the model closes them. */
    TextEncoders texts();

    /**
     * What the denoiser is told beside latents, timestep and text, by the names of its inputs.
     *
     * @param sizes what the request says of sizes, completed by the size of what is drawn
     * @param latents the size of what is drawn
     */
    Map<String, ConditionValues> told(RecipeRequest request, MicroConditioning sizes, LatentGrid.Size latents);

    /**
     * The size of the latents: of the size that is wanted, or, where the model draws some sizes only, of the one whose
     * proportions are most like it; then the finished picture is scaled and cut.
     *
     * @throws IllegalArgumentException if the model does not draw what the request wants
     */
    LatentGrid.Size latents(RecipeRequest request, LatentGrid grid);

    /**
     * How the video of a request is made; empty for models that draw pictures.
     *
     * @throws IllegalArgumentException if the model does not make as many frames
     */
    default Optional<Filming> filming(RecipeRequest request) {
        return Optional.empty();
    }

    /** Whether the picture of a request becomes latents. */
    boolean encodesPicture();

    /** Whether the loop starts from these latents. */
    default boolean startsFromPicture() {
        return encodesPicture();
    }

    /** What sees the picture of a request, where the denoiser is told what it shows. */
    default Optional<PictureReader.OnPaper> pictureReader() {
        return Optional.empty();
    }

    /**
     * The shapes, for one prompt, of what the denoiser is told of the picture of a request, by the names of its inputs.
     */
    default Map<String, Shape> shown(LatentGrid.Size latents) {
        return Map.of();
    }

    /** That itself. */
    default Map<String, ConditionValues> show(PictureInputs inputs) {
        return Map.of();
    }

    /**
     * Whether the known part of a masked picture is put back after every step, as the denoiser itself takes no mask.
     */
    boolean putsKnownPartBack();

    /**
     * What the denoiser takes as further channels behind the latents, float32 {@code [batch, channels, height,
     * width]}; empty if there are none.
     */
    Optional<float[]> extraChannels(PictureInputs inputs);

    /**
     * The guidance that the loop applies; {@link Guidance#NONE} where nothing is predicted twice.
     *
     * @throws IllegalArgumentException if such a model cannot be guided like that
     */
    Guidance guidance(Guidance wanted);

    /** Steps and guidance of requests that do not say them. */
    default Usual usual() {
        return Usual.MOST;
    }

    /** @throws IllegalArgumentException if a request brings less or more than such a model takes */
    void check(RecipeRequest request);
}
