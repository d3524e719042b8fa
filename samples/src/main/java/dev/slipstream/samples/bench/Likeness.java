package dev.slipstream.samples.bench;

import dev.slipstream.pipelines.diffusion.image.Image;

/**
 * How like two pictures are, of 8 bits a channel.
 *
 * @param decibels peak signal-to-noise ratio; {@link #IDENTICAL} if they are the same
 * @param difference largest difference of a channel of a pixel, 0 to 255
 */
record Likeness(double decibels, int difference) {
    /** Stands for infinity, so that means stay numbers: more than any two different small pictures have. */
    static final double IDENTICAL = 100;
    private static final double PEAK = 255;

    static Likeness of(Image one, Image other) {
        byte[] first = one.rgb();
        byte[] second = other.rgb();
        if (one.width() != other.width() || first.length != second.length) {
            throw new IllegalArgumentException("pictures of " + one + " and " + other + " cannot be compared");
        }
        long squares = 0;
        int largest = 0;
        for (int i = 0; i < first.length; i++) {
            int difference = Math.abs((first[i] & 0xFF) - (second[i] & 0xFF));
            squares += (long) difference * difference;
            largest = Math.max(largest, difference);
        }
        double decibels = squares == 0 ? IDENTICAL : 10 * Math.log10(PEAK * PEAK * first.length / squares);
        return new Likeness(Math.min(decibels, IDENTICAL), largest);
    }
}
