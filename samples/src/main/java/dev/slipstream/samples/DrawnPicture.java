package dev.slipstream.samples;

import dev.slipstream.pipelines.diffusion.GeneratedImage;
import java.nio.file.Path;
import java.time.Duration;

/**
 * What is told of a picture that lies in its file; it does not hold the pixels, so that a call may draw thousands.
 *
 * @param width pixels as drawn; likewise {@code height}
 * @param enlarged the factor by which the file has more
 * @param build time of a batch, which is drawn together; likewise {@code text}, {@code loop} and {@code decode}
 */
record DrawnPicture(Path file, long seed, int width, int height, int enlarged, Duration build, Duration text,
    Duration loop, Duration decode) {

    static DrawnPicture of(GeneratedImage picture, Path file, Enlargement enlargement) {
        return new DrawnPicture(file, picture.request().seed(), picture.image().width(), picture.image().height(),
            enlargement.factor(picture.image()), picture.build(), picture.text(), picture.loop(), picture.decode());
    }
}
