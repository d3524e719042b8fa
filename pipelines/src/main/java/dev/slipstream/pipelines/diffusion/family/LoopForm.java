package dev.slipstream.pipelines.diffusion.family;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.diffusion.denoise.FrameAdapter;
import dev.slipstream.pipelines.diffusion.denoise.LoopAdapter;
import dev.slipstream.pipelines.diffusion.noise.NoiseScheduler;
import dev.slipstream.pipelines.model.config.DenoiserConfig;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Predicate;

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

    private static final LoopForm FLUX = pictures(2, 1000, List.of("img_ids", "txt_ids"), false, false, true);
    private static final LoopForm PIXART = pictures(1, 1, List.of(), true, false, false);
    private static final LoopForm DIT = pictures(1, 1, List.of(), true, true, false);
    private static final LoopForm STABLE_VIDEO = videos(new Frames(1, "image_latents", List.of()));
    private static final LoopForm ANIMATE_DIFF = videos(new Frames(2, "", List.of("encoder_hidden_states")));

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

        public Frames {
            perFrame = List.copyOf(perFrame);
        }

        public boolean areThere() {
            return axis > 0;
        }
    }

    private static LoopForm pictures(int packing, double timestepDivisor, List<String> withoutRows,
        boolean predictsMore, boolean promptFirst, boolean evenLevels) {
        return new LoopForm(packing, timestepDivisor, withoutRows, predictsMore, promptFirst, evenLevels, Frames.NONE);
    }

    private static LoopForm videos(Frames frames) {
        return new LoopForm(1, 1, List.of(), false, false, false, frames);
    }

    /** What tells a denoiser's family where it has no configuration. */
    private record Known(String className, Predicate<DenoiserGraph> looksLike, LoopForm form) {
    }

    private static final List<Known> ALL = List.of(
        new Known("FluxTransformer2DModel", denoiser -> takes(denoiser, "img_ids"), FLUX),
        new Known("UNetSpatioTemporalConditionModel", denoiser -> takes(denoiser, "added_time_ids"), STABLE_VIDEO),
        new Known("UNetMotionModel", denoiser -> !isTransformer(denoiser)
            && !takes(denoiser, "added_time_ids") && denoiser.rank(denoiser.ports().sample()).orElse(4) == 5,
            ANIMATE_DIFF),
        new Known("PixArtTransformer2DModel",
            denoiser -> isTransformer(denoiser) && !takes(denoiser, "pooled_projections")
                && takes(denoiser, "encoder_attention_mask"), PIXART),
        new Known("DiTTransformer2DModel",
            denoiser -> isTransformer(denoiser) && takes(denoiser, "class_labels"), DIT));

    public LoopForm {
        withoutRows = List.copyOf(withoutRows);
    }

    /** The form of a denoiser that is as its model has it; by its configuration, or without one by its inputs. */
    public static LoopForm of(DenoiserGraph denoiser) {
        return ALL.stream().filter(known -> denoiser.className().map(known.className()::equals)
            .orElseGet(() -> known.looksLike().test(denoiser))).findFirst().map(Known::form).orElse(USUAL);
    }

    private static boolean isTransformer(DenoiserGraph denoiser) {
        return denoiser.ports().sample().equals("hidden_states");
    }

    private static boolean takes(DenoiserGraph denoiser, String input) {
        return denoiser.ports().conditions().contains(input);
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
        return frames.areThere() && given.rank() == 5
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
