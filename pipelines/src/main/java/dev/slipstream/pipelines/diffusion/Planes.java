package dev.slipstream.pipelines.diffusion;

/**
 * Planes of numbers, one a channel, of latents or of a picture. Mutable; one thread.
 *
 * @param values {@code [channels, height, width]}
 */
record Planes(int channels, int height, int width, float[] values) {
    Planes {
        if (values.length != Math.multiplyExact(Math.multiplyExact(channels, height), width)) {
            throw new IllegalArgumentException(values.length + " numbers are not " + channels + " planes of " + height
                + "x" + width);
        }
    }

    static Planes of(int channels, int height, int width) {
        return new Planes(channels, height, width,
            new float[Math.multiplyExact(Math.multiplyExact(channels, height), width)]);
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
