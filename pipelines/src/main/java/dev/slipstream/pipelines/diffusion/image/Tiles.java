package dev.slipstream.pipelines.diffusion.image;

/**
 * In what pieces the autoencoder decodes latents, and encodes given pictures.
 *
 * <p>Tiles bound the memory of both, whatever the size of the picture, and one engine of each serves all sizes from a
 * tile up. They are not exact: norms and attention of the autoencoder see one tile at a time, so that colours may shift
 * a little from tile to tile. That is why pictures are whole if nothing else is said, as in diffusers, and why it is
 * never the memory of a machine that decides. A picture that one tile covers is the same either way, bit for bit.
 */
public sealed interface Tiles {
    /** Every picture in one piece. */
    record Whole() implements Tiles {
    }

    /** Tiles of the size for which the autoencoder says that it was trained ({@code sample_size}). */
    record OfModel() implements Tiles {
    }

    /** @param pixels along each side of a tile; a multiple of the pixels that a latent has */
    record OfSide(int pixels) implements Tiles {
        public OfSide {
            if (pixels < 1) {
                throw new IllegalArgumentException("tiles have at least 1 pixel a side, not " + pixels);
            }
        }
    }

    /** @param text {@code off}, {@code auto} for {@link OfModel}, or pixels. */
    static Tiles parse(String text) {
        return switch (text.strip()) {
            case "off" -> new Whole();
            case "auto" -> new OfModel();
            case String pixels when pixels.matches("\\d{1,6}") -> new OfSide(Integer.parseInt(pixels));
            default -> throw new IllegalArgumentException("there are no tiles '" + text
                + "'; take off, auto, or the pixels of a side, such as 512");
        };
    }
}
