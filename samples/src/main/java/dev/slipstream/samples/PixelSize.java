package dev.slipstream.samples;

import dev.slipstream.pipelines.diffusion.Conditioning.Size;

/** Reads sizes as they are typed. */
final class PixelSize {
    private PixelSize() {
    }

    /** @param remedy what else the user can do, for the error */
    static Size parse(String option, String text, String remedy) {
        if (!text.strip().matches("\\d{1,6}[xX]\\d{1,6}")) {
            throw new InputException(option + " takes WIDTHxHEIGHT in pixels, like 512x768, not '" + text + "'; "
                + remedy);
        }
        String[] sides = text.strip().split("[xX]");
        return new Size(Integer.parseInt(sides[0]), Integer.parseInt(sides[1]));
    }
}
