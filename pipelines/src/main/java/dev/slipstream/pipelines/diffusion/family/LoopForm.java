package dev.slipstream.pipelines.diffusion.family;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.diffusion.denoise.FrameAdapter;
import dev.slipstream.pipelines.diffusion.denoise.LoopAdapter;
import dev.slipstream.pipelines.diffusion.noise.NoiseScheduler;
import dev.slipstream.pipelines.model.config.DenoiserConfig;
import java.util.List;
import java.util.OptionalInt;

/**
 * How the published loop of a family calls its denoiser, where that differs from Stable Diffusion's. A denoiser that is
 * {@linkplain #adapt adapted} is called in one way whatever its family: latents {@code [rows, channels, height,
 * width]}, timesteps as noise schedulers have them, a row of each condition for each row of latents, and a prediction
 * like the latents.
 *
 * @param packing side of the patches of latents that are a token for the denoiser; 1 where it takes latents whole
 * @param timestepDivisor what timesteps are divided by before the denoiser is given them
 * @param withoutRows conditions that the denoiser takes once for all rows
 * @param predictsMore whether the prediction may have channels behind those of the latents, which are not used
 * @param promptFirst whether the published batch has what knows the prompt first; here it always comes second
 * @param evenLevels whether the noise levels of flow matching are spaced evenly, whatever the scheduler's file says
 * @param frames how latents of videos are laid out
 */
public record LoopForm(int packing, double timestepDivisor, List<String> withoutRows, boolean predictsMore,
    boolean promptFirst, boolean evenLevels, Frames frames) {

    /** The default of diffusers' pipelines. */
    private static final int USUAL_PACKED_SIDE = 128;

    /** Of most families. */
    public static final LoopForm USUAL = pictures(1, 1, List.of(), false, false, false);

    /**
     * How latents of videos are laid out.
     *
     * @param axis which of their dimensions counts frames: 1 before or 2 behind channels; 0 for pictures
     * @param picture condition that holds latents of a picture, which are put behind the channels of each frame, and
     *     which is 0 where the prompt is not known; empty if there is none
     * @param perFrame conditions of which the denoiser takes a row for each frame
     */
    public record Frames(int axis, String picture, List<String> perFrame) {
        static final Frames NONE = new Frames(0, "", List.of());
        /** Of the latents of videos. */
        static final int DIMENSIONS = 5;

        public Frames {
            perFrame = List.copyOf(perFrame);
        }

        public boolean areThere() {
            return axis > 0;
        }
    }

    static LoopForm pictures(int packing, double timestepDivisor, List<String> withoutRows,
        boolean predictsMore, boolean promptFirst, boolean evenLevels) {
        return new LoopForm(packing, timestepDivisor, withoutRows, predictsMore, promptFirst, evenLevels, Frames.NONE);
    }

    static LoopForm videos(Frames frames) {
        return new LoopForm(1, 1, List.of(), false, false, false, frames);
    }

    public LoopForm {
        withoutRows = List.copyOf(withoutRows);
    }

    /** Side of the latents that it was trained on, as configurations of denoisers with packed latents do not say it. */
    public OptionalInt usualSide() {
        return packing > 1 ? OptionalInt.of(USUAL_PACKED_SIDE) : OptionalInt.empty();
    }

    /** What generation must know of the adapted denoiser. @param own what its configuration says */
    public DenoiserConfig config(DenoiserConfig own) {
        if (!frames.picture.isEmpty()) {
            // The rest is of a picture, which is a condition here.
            return own.withChannels(own.outChannels(), own.outChannels());
        }
        int in = own.inChannels() / (packing * packing);
        return own.withChannels(in, predictsMore ? in : own.outChannels() / (packing * packing));
    }

    /**
     * The denoiser as every loop calls it.
     *
     * @param channels of the latents, which are those of the prediction that are read
     */
    public DenoiserGraph adapt(DenoiserGraph denoiser, long channels) {
        DenoiserGraph adapted = packing > 1 ? LoopAdapter.packed(denoiser, packing) : denoiser;
        if (frames.areThere()) {
            adapted = FrameAdapter.adapt(adapted, frames.axis(), frames.picture(), frames.perFrame());
        }
        if (timestepDivisor != 1) {
            adapted = LoopAdapter.divided(adapted, timestepDivisor);
        }
        for (String condition : withoutRows) {
            adapted = LoopAdapter.rowed(adapted, condition);
        }
        return predictsMore ? LoopAdapter.first(adapted, channels) : adapted;
    }

    /**
     * Latents of this shape as every loop has them: those of videos have their frames beside their channels.
     *
     * @param given {@code [batch, channels, height, width]}, of videos with frames before or behind channels
     */
    public Shape folded(Shape given) {
        return frames.areThere() && given.rank() == Frames.DIMENSIONS
            ? Shape.of(given.dim(0), given.dim(1) * given.dim(2), given.dim(3), given.dim(4)) : given;
    }

    /** A noise scheduler as the family uses it for latents of this shape, {@code [batch, channels, height, width]}. */
    public NoiseScheduler noise(NoiseScheduler scheduler, DenoiserGraph denoiser, Shape latents) {
        long patch = Math.max(packing, denoiser.sideMultiple());
        long tokens = latents.dim(2) / patch * (latents.dim(3) / patch);
        NoiseScheduler sized = scheduler.forImageTokens(Math.max(1, tokens));
        return evenLevels ? sized.withEvenLevels() : sized;
    }
}
