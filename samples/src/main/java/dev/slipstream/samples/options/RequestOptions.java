package dev.slipstream.samples.options;

import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.VideoRequest;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.InputException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The request beside prompt and seed: steps, guidance, noise scheduler, size, batch, picture, conditioning. */
public final class RequestOptions {
    /** What is said where a model draws pictures. */
    public static final String FOR_VIDEOS = "the model draws pictures; --frames, --fps, --motion-bucket, --noise-aug, "
        + "--first-guidance and --decode-chunk are for models that make videos, leave them out or take such a model";

    @Option(names = "--guidance-rescale", paramLabel = "R", order = HelpLayout.PICTURE + 10, defaultValue = "0",
        description = "How much of the spread that guidance adds is taken back, 0 to 1 (${DEFAULT-VALUE}); 0.7 helps "
            + "against overexposed pictures.")
    private double guidanceRescale;

    @Option(names = "--batch", paramLabel = "B", order = HelpLayout.PICTURE + 6, defaultValue = "1",
        description = "Pictures that are drawn together, in one loop (${DEFAULT-VALUE}); takes more memory.")
    private int batch;

    @Mixin
    private SamplingOptions sampling;

    @Mixin
    private PictureOptions picture;

    @Mixin
    private ConditioningOptions conditioning;

    @Mixin
    private VideoOptions video;

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
        return picture.apply(sampling.apply(
            video.apply(VideoRequest.of(prompt)).withConditioning(conditioning.conditioning())));
    }

    /** The request for a prompt. */
    public ImageRequest request(String prompt) {
        return picture.apply(sampling.apply(ImageRequest.of(prompt).withGuidanceRescale(guidanceRescale)
            .withBatch(batch)).withConditioning(conditioning.conditioning()));
    }
}
