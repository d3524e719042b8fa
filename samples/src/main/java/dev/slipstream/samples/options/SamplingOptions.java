package dev.slipstream.samples.options;

import dev.slipstream.pipelines.diffusion.Conditioning.Size;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.VideoRequest;
import dev.slipstream.pipelines.diffusion.noise.NoiseScheduler;
import dev.slipstream.samples.terminal.HelpLayout;
import java.util.Iterator;
import picocli.CommandLine.Option;

/** How a picture or a video is drawn, whatever it shows. What is left out is as is usual with the model. */
public final class SamplingOptions {
    @Option(names = "--steps", paramLabel = "N", order = HelpLayout.PICTURE + 1,
        description = "Denoising steps, if not as many as is usual with the model: " + ImageRequest.DEFAULT_STEPS
            + ", with Stable Diffusion 3 and FLUX dev 28, PixArt 20, FLUX schnell 4.")
    private Integer steps;

    @Option(names = "--size", paramLabel = "WxH", order = HelpLayout.PICTURE + 2,
        description = "Pixels, like 512x768, if not those of a given picture, which is scaled to them, or else the "
            + "model's own.")
    private String size;

    @Option(names = "--guidance", paramLabel = "W", order = HelpLayout.PICTURE + 4,
        description = "Weight of the prompt, if not the usual one of the model: " + (int) ImageRequest.DEFAULT_GUIDANCE
            + ", with Stable Diffusion 3 7, PixArt 4.5, FLUX dev 3.5; 1 or less switches guidance off, which halves "
            + "the work.")
    private Double guidance;

    @Option(names = "--scheduler", paramLabel = "NAME", order = HelpLayout.PICTURE + 9,
        completionCandidates = Methods.class,
        description = "Noise scheduler, if not the model's own: ${COMPLETION-CANDIDATES}. Most of them space noise "
            + "levels in another way with -karras, -exponential, -beta or -lu behind.")
    private String scheduler;

    private static final class Methods implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return NoiseScheduler.methods().iterator();
        }
    }

    public ImageRequest apply(ImageRequest request) {
        ImageRequest drawn = steps == null ? request : request.withSteps(steps);
        drawn = guidance == null ? drawn : drawn.withGuidance(guidance);
        drawn = scheduler == null ? drawn : drawn.withScheduler(scheduler);
        return size == null ? drawn : drawn.withSize(pixels().width(), pixels().height());
    }

    VideoRequest apply(VideoRequest request) {
        VideoRequest drawn = steps == null ? request : request.withSteps(steps);
        drawn = guidance == null ? drawn : drawn.withGuidance(guidance);
        drawn = scheduler == null ? drawn : drawn.withScheduler(scheduler);
        return size == null ? drawn : drawn.withSize(pixels().width(), pixels().height());
    }

    private Size pixels() {
        return ConditioningOptions.size("--size", size, "leave it out for the model's own size");
    }
}
