package dev.slipstream.pipelines.diffusion.component;

import dev.slipstream.pipelines.diffusion.denoise.RepaintMask;
import dev.slipstream.pipelines.diffusion.image.Image;

/**
 * Planes of numbers, one a channel, of latents or of a picture. Mutable; one thread.
 *
 * @param values {@code [channels, height, width]}
 */
public record Planes(int channels, int height, int width, float[] values) {
    /** Planes of a picture: red, green and blue. */
    public static final int COLOURS = 3;
    private static final float HALF = 127.5f;
    private static final float WHOLE = 255;

    public Planes {
        if (values.length != Math.multiplyExact(Math.multiplyExact(channels, height), width)) {
            throw new IllegalArgumentException(values.length + " numbers are not " + channels + " planes of " + height
                + "x" + width);
        }
    }

    public static Planes of(int channels, int height, int width) {
        return new Planes(channels, height, width,
            new float[Math.multiplyExact(Math.multiplyExact(channels, height), width)]);
    }

    /** The colours of a picture, from -1 to 1. */
    public static Planes of(Image picture) {
        Planes planes = of(COLOURS, picture.height(), picture.width());
        byte[] pixels = picture.rgb();
        int each = picture.height() * picture.width();
        for (int i = 0; i < pixels.length; i++) {
            planes.values[i % COLOURS * each + i / COLOURS] = (pixels[i] & 0xFF) / HALF - 1;
        }
        return planes;
    }

    /** The colours of a picture, from 0 to 1. */
    public static Planes ofShares(Image picture) {
        Planes planes = of(COLOURS, picture.height(), picture.width());
        byte[] pixels = picture.rgb();
        int each = picture.height() * picture.width();
        for (int i = 0; i < pixels.length; i++) {
            planes.values[i % COLOURS * each + i / COLOURS] = (pixels[i] & 0xFF) / WHOLE;
        }
        return planes;
    }

    /** The same as {@link #of(Image)} with the part of a picture grey that its mask leaves to be drawn. */
    public static Planes ofKnown(Image picture, Image mask) {
        Planes planes = of(picture);
        int each = picture.height() * picture.width();
        for (int i = 0; i < planes.values.length; i++) {
            int pixel = i % each;
            if (RepaintMask.isDrawn(mask, pixel % picture.width(), pixel / picture.width())) {
                planes.values[i] = 0;
            }
        }
        return planes;
    }

    /** A copy of a part. */
    Planes cut(int top, int left, int partHeight, int partWidth) {
        Planes part = of(channels, partHeight, partWidth);
        for (int channel = 0; channel < channels; channel++) {
            for (int y = 0; y < partHeight; y++) {
                System.arraycopy(values, index(channel, top + y, left), part.values, part.index(channel, y, 0),
                    partWidth);
            }
        }
        return part;
    }

    /**
     * Puts a part in its place. Along its upper or its left edge it fades in over what is there.
     *
     * @param fadeDown so many rows, the first of which stays as it is; 0 for none
     * @param fadeRight likewise columns
     */
    void paste(Planes part, int top, int left, int fadeDown, int fadeRight) {
        for (int channel = 0; channel < channels; channel++) {
            for (int y = 0; y < part.height; y++) {
                int to = index(channel, top + y, left);
                int from = part.index(channel, y, 0);
                float row = weight(y, fadeDown);
                for (int x = 0; x < part.width; x++) {
                    float weight = row * weight(x, fadeRight);
                    values[to + x] = weight == 1 ? part.values[from + x]
                        : values[to + x] * (1 - weight) + part.values[from + x] * weight;
                }
            }
        }
    }

    private static float weight(int position, int fade) {
        return position < fade ? (float) position / fade : 1;
    }

    private int index(int channel, int y, int x) {
        return (channel * height + y) * width + x;
    }
}
