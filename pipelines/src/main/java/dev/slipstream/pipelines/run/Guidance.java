package dev.slipstream.pipelines.run;

/**
 * How the prediction that knows the text is set against the one that does not.
 *
 * @param weight of the prediction with the text (classifier-free guidance, Ho and Salimans 2022); 1 or less switches it
 *     off
 * @param rescale how much of the text prediction's spread the guided one gets back, 0 (nothing) to 1. A large weight
 *     spreads values too far, which shows as overexposed pictures (guidance rescale, Lin et al. 2023, who find 0.7
 *     good)
 */
public record Guidance(double weight, double rescale) {
    /** Nothing is predicted twice. */
    public static final Guidance NONE = of(1);

    /** More leaves nothing of any picture. */
    private static final int MOST_WEIGHT = 1_000;

    public Guidance {
        if (!(weight >= 0 && weight <= MOST_WEIGHT)) {
            throw new IllegalArgumentException("guidance is a number from 0 to " + MOST_WEIGHT + ", not " + weight);
        }
        if (!(rescale >= 0 && rescale <= 1)) {
            throw new IllegalArgumentException("guidance rescale is a number from 0 to 1, not " + rescale);
        }
    }

    /** Without rescale. */
    public static Guidance of(double weight) {
        return new Guidance(weight, 0);
    }

    public Guidance withWeight(double other) {
        return new Guidance(other, rescale);
    }

    public Guidance withRescale(double other) {
        return new Guidance(weight, other);
    }

    /** Whether there is more to it than a linear form. */
    public boolean isRescaled() {
        return rescale > 0;
    }
}
