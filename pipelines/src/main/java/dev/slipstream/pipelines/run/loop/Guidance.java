package dev.slipstream.pipelines.run.loop;

import java.util.List;
import java.util.stream.IntStream;

/**
 * How the prediction that knows the text is set against the one that does not.
 *
 * @param weight of the prediction with the text (classifier-free guidance, Ho and Salimans 2022); 1 or less switches it
 *     off
 * @param rescale how much of the text prediction's spread the guided one gets back, 0 (nothing) to 1. A large weight
 *     spreads values too far, which shows as overexposed pictures (guidance rescale, Lin et al. 2023, who find 0.7
 *     good)
 * @param parts weights of equal parts of the latents, one after another along their second dimension, such as frames of
 *     a video; none if {@code weight} is that of all
 */
public record Guidance(double weight, double rescale, List<Double> parts) {
    /** Nothing is predicted twice. */
    public static final Guidance NONE = of(1);

    /** More leaves nothing of any picture. */
    private static final int MOST_WEIGHT = 1_000;

    public Guidance {
        parts = List.copyOf(parts);
        parts.forEach(Guidance::of);
        if (!(weight >= 0 && weight <= MOST_WEIGHT)) {
            throw new IllegalArgumentException("guidance is a number from 0 to " + MOST_WEIGHT + ", not " + weight);
        }
        if (!(rescale >= 0 && rescale <= 1)) {
            throw new IllegalArgumentException("guidance rescale is a number from 0 to 1, not " + rescale);
        }
    }

    /** The same for all of the latents. */
    public Guidance(double weight, double rescale) {
        this(weight, rescale, List.of());
    }

    /** Grows evenly from the first of so many equal parts of the latents to the last. */
    public static Guidance growing(double first, double last, int count) {
        return new Guidance(last, 0, IntStream.range(0, count)
            .mapToObj(part -> first + (last - first) * part / Math.max(1, count - 1)).toList());
    }

    /** Without rescale. */
    public static Guidance of(double weight) {
        return new Guidance(weight, 0);
    }

    public Guidance withWeight(double other) {
        return new Guidance(other, rescale, parts);
    }

    public Guidance withRescale(double other) {
        return new Guidance(weight, other, parts);
    }

    /** Whether parts of the latents have weights of their own. */
    public boolean isPartwise() {
        return !parts.isEmpty();
    }

    /** Whether there is more to it than a linear form. */
    public boolean isRescaled() {
        return rescale > 0;
    }
}
