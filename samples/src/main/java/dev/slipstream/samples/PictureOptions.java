package dev.slipstream.samples;

import dev.slipstream.pipelines.diffusion.GivenImage;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.image.PngReader;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** A picture to start from, to repaint, or to enlarge. */
public final class PictureOptions {
    @Option(names = "--image", paramLabel = "FILE", order = 15,
        description = "A PNG file to start from; to repaint, with --mask; or to enlarge, with an upscaling model.")
    private Path image;

    @Option(names = "--strength", paramLabel = "S", order = 16,
        description = "How much of the picture is drawn anew, from 0 to 1: this share of the steps is taken (0.8, and "
            + "1 with --mask).")
    private Double strength;

    @Option(names = "--mask", paramLabel = "FILE", order = 17,
        description = "A PNG file of the same size: what is white is drawn, what is black stays.")
    private Path mask;

    @Option(names = "--noise-level", paramLabel = "T", order = 18,
        description = "Timestep of the noise with which upscaling models blur the picture (20).")
    private Integer noiseLevel;

    /** The files that are read. */
    List<Path> files() {
        return Stream.of(image, mask).filter(Objects::nonNull).toList();
    }

    /** The request with the picture. @throws InputException if something is said of a picture that is not there */
    public ImageRequest apply(ImageRequest request) {
        if (image == null) {
            String other = strength != null ? "--strength" : mask != null ? "--mask"
                : noiseLevel != null ? "--noise-level" : null;
            if (other != null) {
                throw new InputException(other + " needs a picture; add --image FILE.png");
            }
            return request;
        }
        GivenImage given = GivenImage.of(PngReader.read(image));
        given = strength == null ? given : given.withStrength(strength);
        given = mask == null ? given : given.withMask(PngReader.read(mask));
        return request.withGiven(noiseLevel == null ? given : given.withNoiseLevel(noiseLevel));
    }
}
