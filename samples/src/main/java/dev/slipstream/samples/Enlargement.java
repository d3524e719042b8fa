package dev.slipstream.samples;

import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import java.util.OptionalInt;

/** How much larger pictures are written than drawn, so that one can see them. Nearest neighbour. */
record Enlargement(OptionalInt factor) {
    private static final int VISIBLE_PIXELS = 256;

    static Enlargement by(Integer factor) {
        if (factor != null && factor < 1) {
            throw new InputException("--enlarge takes a whole number from 1 up, not " + factor
                + "; 1 leaves the picture as it is");
        }
        return new Enlargement(factor == null ? OptionalInt.empty() : OptionalInt.of(factor));
    }

    /** @throws InputException if pictures of the request would become too large to be written */
    void check(ImageRequest completed) {
        long width = completed.width().orElseThrow();
        long height = completed.height().orElseThrow();
        long by = factor(width, height);
        if (by * by > Image.MOST_PIXELS / (width * height)) {
            throw new InputException(width + "x" + height + " pixels" + (by > 1 ? " enlarged by " + by : "")
                + " are more than " + Image.MOST_PIXELS / 1_000_000 + " million; use a smaller "
                + (factor.isPresent() && by > 1 ? "--enlarge" : "--size"));
        }
    }

    Image of(Image image) {
        return image.enlarged(factor(image.width(), image.height()));
    }

    int factor(Image image) {
        return factor(image.width(), image.height());
    }

    private int factor(long width, long height) {
        return factor.orElseGet(() -> Math.toIntExact(Math.ceilDiv(VISIBLE_PIXELS, Math.max(width, height))));
    }
}
