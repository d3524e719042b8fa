package dev.slipstream.pipelines.diffusion.noise;

/** The symmetric beta distribution, whose density is {@code (t·(1 − t))^(shape − 1)} up to a factor. */
final class BetaDistribution {
    private static final int BISECTIONS = 60;
    private static final int TERMS = 500;
    private static final double PRECISION = 1e-15;

    private final double shape;
    private final double scale;

    /** @param shape positive, and of moderate size */
    BetaDistribution(double shape) {
        this.shape = shape;
        // Half of the distribution lies below 1/2.
        this.scale = 0.5 / unscaled(0.5);
    }

    /** The value that a share of {@code probability} lies below. */
    double quantile(double probability) {
        if (probability > 0.5) {
            return 1 - quantile(1 - probability);
        }
        double low = 0;
        double high = 0.5;
        for (int i = 0; i < BISECTIONS && probability > 0; i++) {
            double middle = (low + high) / 2;
            if (scale * unscaled(middle) < probability) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return probability > 0 ? (low + high) / 2 : 0;
    }

    /** The integral of the density from 0 to {@code x}, by its series in x, which converges up to 1/2 and beyond. */
    private double unscaled(double x) {
        double term = 1;
        double sum = 1 / shape;
        for (int n = 1; n < TERMS && term > PRECISION; n++) {
            term *= x * (n - shape) / n;
            sum += term / (shape + n);
        }
        return Math.pow(x, shape) * sum;
    }
}
