package dev.slipstream.samples.options;

import dev.slipstream.pipelines.diffusion.Conditioning.Size;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.VideoRequest;
import dev.slipstream.pipelines.diffusion.noise.NoiseScheduler;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.InputException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The request beside prompt and seed: steps, guidance, noise scheduler, size, batch, picture, conditioning. */
public final class RequestOptions {
    /** What is said where a model draws pictures. */
    public static final String FOR_VIDEOS = "the model draws pictures; --frames, --fps, --motion-bucket, --noise-aug, "
        + "--first-guidance and --decode-chunk are for models that make videos, leave them out or take such a model";

    @Option(names = "--steps", paramLabel = "N", order = HelpLayout.PICTURE + 1,
        description = "Denoising steps, if not as many as is usual with the model: " + ImageRequest.DEFAULT_STEPS
            + ", with Stable Diffusion 3 and FLUX dev 28, PixArt 20, FLUX schnell 4.")
    private Integer steps;

    @Option(names = "--guidance", paramLabel = "W", order = HelpLayout.PICTURE + 4,
        description = "Weight of the prompt, if not the usual one of the model: " + (int) ImageRequest.DEFAULT_GUIDANCE
            + ", with Stable Diffusion 3 7, PixArt 4.5, FLUX dev 3.5; 1 or less switches guidance off, which halves "
            + "the work.")
    private Double guidance;

    @Option(names = "--guidance-rescale", paramLabel = "R", order = HelpLayout.PICTURE + 10, defaultValue = "0",
        description = "How much of the spread that guidance adds is taken back, 0 to 1 (${DEFAULT-VALUE}); 0.7 helps "
            + "against overexposed pictures.")
    private double guidanceRescale;

    @Option(names = "--scheduler", paramLabel = "NAME", order = HelpLayout.PICTURE + 9,
        completionCandidates = Methods.class,
        description = "Noise scheduler, if not the model's own: ${COMPLETION-CANDIDATES}. Most of them space noise "
            + "levels in another way with -karras, -exponential, -beta or -lu behind.")
    private String scheduler;

    @Option(names = "--size", paramLabel = "WxH", order = HelpLayout.PICTURE + 2,
        description = "Pixels, like 512x768, if not those of --image or else the model's own; a picture is scaled to "
            + "it.")
    private String size;

    @Option(names = "--batch", paramLabel = "B", order = HelpLayout.PICTURE + 6, defaultValue = "1",
        description = "Pictures that are drawn together, in one loop (${DEFAULT-VALUE}); takes more memory.")
    private int batch;

    @Mixin
    private PictureOptions picture;

    @Mixin
    private ConditioningOptions conditioning;

    @Mixin
    private VideoOptions video;

    private static final class Methods implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return NoiseScheduler.methods().iterator();
        }
    }

    /** The files that are read. */
    public List<Path> files() {
        return picture.files();
    }

    public int batch() {
        return batch;
    }

    /** Whether it says of which class a picture is, so that no prompt is needed. */
    public boolean saysClass() {
        return conditioning.saysClass();
    }

    /** Whether only a video can be meant. */
    public boolean saysVideo() {
        return video.areThere();
    }

    /** Whether it brings a picture, from which a video may be made without a prompt. */
    public boolean hasPicture() {
        return !picture.files().isEmpty();
    }

    /** The request for a video. @throws InputException if an option is there that is for pictures */
    public VideoRequest video(String prompt) {
        if (batch > 1 || guidanceRescale > 0) {
            throw new InputException((batch > 1 ? "--batch" : "--guidance-rescale") + " is for pictures; leave it out "
                + "for a video");
        }
        VideoRequest request = video.apply(VideoRequest.of(prompt)).withConditioning(conditioning.conditioning());
        request = steps == null ? request : request.withSteps(steps);
        request = guidance == null ? request : request.withGuidance(guidance);
        request = scheduler == null ? request : request.withScheduler(scheduler);
        if (size != null) {
            Size pixels = ConditioningOptions.size("--size", size, "leave it out for the model's own size");
            request = request.withSize(pixels.width(), pixels.height());
        }
        return picture.apply(request);
    }

    /** The request for a prompt. */
    public ImageRequest request(String prompt) {
        ImageRequest request = ImageRequest.of(prompt).withGuidanceRescale(guidanceRescale).withBatch(batch);
        request = steps == null ? request : request.withSteps(steps);
        request = guidance == null ? request : request.withGuidance(guidance);
        if (scheduler != null) {
            request = request.withScheduler(scheduler);
        }
        if (size != null) {
            Size pixels = ConditioningOptions.size("--size", size, "leave it out for the model's own size");
            request = request.withSize(pixels.width(), pixels.height());
        }
        return picture.apply(request.withConditioning(conditioning.conditioning()));
    }
}
