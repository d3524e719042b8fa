package dev.slipstream.pipelines.diffusion.family;

import dev.slipstream.pipelines.diffusion.component.TextEncoders;
import dev.slipstream.pipelines.diffusion.family.RecipeRequest.Film;
import dev.slipstream.pipelines.model.config.ConfigFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * AnimateDiff (Guo et al. 2023): a Stable Diffusion 1 with motion modules between its layers, in which each pixel looks
 * at itself in all frames. The text is the same for every frame, and each is decoded as a picture.
 */
final class AnimateDiff extends LatentDiffusion {
    static final Set<String> PIPELINES = Set.of("AnimateDiffPipeline");

    static final LoopForm FORM =
        LoopForm.videos(new LoopForm.Frames(2, "", List.of(TextEncoders.STATES)));

    private static final String LONGEST = "motion_max_seq_length";
    private static final int USUAL_LONGEST = 32;
    /** diffusers' defaults. */
    private static final int FRAMES = 16;
    private static final int FRAMES_PER_SECOND = 8;
    private static final Usual USUAL = new Usual(50, 7.5);

    private final ModelParts parts;

    AnimateDiff(ModelParts parts) {
        super(StableDiffusion.openTexts(parts), false);
        this.parts = parts;
    }

    @Override
    public Optional<Filming> filming(RecipeRequest request) {
        Film film = request.film().orElse(Film.USUAL);
        int longest = new ConfigFile(Path.of(parts.denoiser().name(), "config.json"), parts.denoiser().config())
            .positiveInteger(LONGEST, USUAL_LONGEST);
        int frames = film.frames().orElse(Math.min(FRAMES, longest));
        refuse(frames > longest, "the motion modules of this model know " + longest + " frames, not " + frames
            + "; take at most " + longest);
        return Optional.of(new Filming(frames, film.framesPerSecond().orElse(FRAMES_PER_SECOND), 1,
            OptionalDouble.empty()));
    }

    @Override
    public boolean encodesPicture() {
        return false;
    }

    @Override
    public Usual usual() {
        return USUAL;
    }

    @Override
    public void check(RecipeRequest request) {
        Film film = request.film().orElse(Film.USUAL);
        refuse(request.picture().isPresent(), "this model makes a video of a text; leave out the picture, or take a "
            + "model that makes videos of pictures");
        refuse(film.motion().isPresent() || film.noise().isPresent(), "this model is told nothing of motion and noise; "
            + "leave out motion bucket and noise augmentation");
        refuse(film.firstGuidance().isPresent(), "guidance is the same for all frames of this model; leave out that of "
            + "the first frame");
        refuse(film.together().isPresent(), "this model decodes each frame by itself; leave out how many are decoded "
            + "together");
        super.check(request);
    }
}
