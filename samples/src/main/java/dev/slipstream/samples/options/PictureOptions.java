package dev.slipstream.samples.options;

import dev.slipstream.pipelines.diffusion.GivenImage;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.VideoRequest;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.InputException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** A picture to start from, to repaint, or to enlarge. */
public final class PictureOptions {
    @Option(names = "--image", paramLabel = "FILE", order = HelpLayout.GIVEN,
        description = "A PNG or JPEG file to start from; to repaint, with --mask; to enlarge, with an upscaling "
            + "model; or to make a video of.")
    private Path image;

    @Option(names = "--strength", paramLabel = "S", order = HelpLayout.GIVEN + 1,
        description = "How much of the picture is drawn anew, from 0 to 1: this share of the steps is taken (0.8, and "
            + "1 with --mask).")
    private Double strength;

    @Option(names = "--mask", paramLabel = "FILE", order = HelpLayout.GIVEN + 2,
        description = "A PNG or JPEG file of the same size: what is white is drawn, what is black stays.")
    private Path mask;

    @Option(names = "--noise-level", paramLabel = "T", order = HelpLayout.GIVEN + 3,
        description = "Timestep of the noise with which upscaling models blur the picture (20).")
    private Integer noiseLevel;

    /** The files that are read: picture and mask. */
    List<Path> files() {
        return Stream.of(image, mask).filter(Objects::nonNull).toList();
    }

    /** The video's request with the picture. @throws InputException if an option is there that videos do not take */
    VideoRequest apply(VideoRequest request) {
        String other = strength != null ? "--strength" : mask != null ? "--mask"
            : noiseLevel != null ? "--noise-level" : null;
        if (other != null) {
            throw new InputException(other + " is for pictures; leave it out for a video");
        }
        return image == null ? request : request.withPicture(Image.read(image));
    }

    /** The request with the picture. @throws InputException if there is an option about the picture but no picture */
    public ImageRequest apply(ImageRequest request) {
        if (image == null) {
            String other = strength != null ? "--strength" : mask != null ? "--mask"
                : noiseLevel != null ? "--noise-level" : null;
            if (other != null) {
                throw new InputException(other + " needs a picture; add --image FILE.png");
            }
            return request;
        }
        GivenImage given = GivenImage.of(Image.read(image));
        given = strength == null ? given : given.withStrength(strength);
        given = mask == null ? given : given.withMask(Image.read(mask));
        return request.withGiven(noiseLevel == null ? given : given.withNoiseLevel(noiseLevel));
    }
}
