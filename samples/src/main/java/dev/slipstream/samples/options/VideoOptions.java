package dev.slipstream.samples.options;

import dev.slipstream.pipelines.diffusion.VideoRequest;
import dev.slipstream.samples.terminal.HelpLayout;
import java.util.Objects;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** What only models that make videos take. */
public final class VideoOptions {
    @Option(names = "--frames", paramLabel = "N", order = HelpLayout.VIDEO,
        description = "Pictures of the video, if not as many as the model usually makes.")
    private Integer frames;

    @Option(names = "--fps", paramLabel = "N", order = HelpLayout.VIDEO + 1,
        description = "Frames a second: how fast the video is shown (7, and 8 for AnimateDiff). Stable Video Diffusion "
            + "is told it.")
    private Integer framesPerSecond;

    @Option(names = "--motion-bucket", paramLabel = "N", order = HelpLayout.VIDEO + 2,
        description = "How much moves, 0 to 255 (127); for Stable Video Diffusion.")
    private Integer motionBucket;

    @Option(names = "--noise-aug", paramLabel = "S", order = HelpLayout.VIDEO + 3,
        description = "How much noise blurs the picture of --image, 0 to 1 (0.02); for Stable Video Diffusion.")
    private Double noise;

    @Option(names = "--first-guidance", paramLabel = "W", order = HelpLayout.VIDEO + 4,
        description = "Guidance of the first frame, from which it grows to --guidance (1); for Stable Video Diffusion.")
    private Double firstGuidance;

    @Option(names = "--decode-chunk", paramLabel = "N", order = HelpLayout.VIDEO + 5,
        description = "Frames that are decoded together (all); fewer take less memory and change the video a little; "
            + "for Stable Video Diffusion.")
    private Integer chunk;

    /** Whether one of them is there. */
    boolean areThere() {
        return Stream.of(frames, framesPerSecond, motionBucket, noise, firstGuidance, chunk).anyMatch(Objects::nonNull);
    }

    /** The request with what they say. */
    VideoRequest apply(VideoRequest plain) {
        VideoRequest request = frames == null ? plain : plain.withFrames(frames);
        request = framesPerSecond == null ? request : request.withFramesPerSecond(framesPerSecond);
        request = motionBucket == null ? request : request.withMotionBucket(motionBucket);
        request = noise == null ? request : request.withNoiseAugmentation(noise);
        request = firstGuidance == null ? request : request.withFirstGuidance(firstGuidance);
        return chunk == null ? request : request.withDecodeChunk(chunk);
    }
}
