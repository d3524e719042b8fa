package dev.slipstream.pipelines.diffusion.noise;

/**
 * What a denoiser predicts, and so how the clean image and the noise follow from latents and prediction.
 *
 * <p>The formulas hold for any scale of the latents: {@code v = (alpha·ε − sigma·x0) / √(alpha² + sigma²)} is that of
 * Salimans and Ho (2022) in the variance preserving space and diffusers' form of it in the variance exploding one.
 */
enum PredictionType implements Prediction {
    /** The noise ε. */
    EPSILON("epsilon"),
    /** The velocity of Salimans and Ho (2022). */
    VELOCITY("v_prediction"),
    /** The clean image x0. */
    SAMPLE("sample"),
    /** The velocity of flow matching, {@code ε − x0}. */
    FLOW("flow_prediction");

    private final String option;

    PredictionType(String option) {
        this.option = option;
    }

    /** Reads {@code prediction_type}. */
    static PredictionType read(SchedulerOptions options) {
        return switch (options.choice("prediction_type", "epsilon", "epsilon", "v_prediction", "sample")) {
            case "v_prediction" -> VELOCITY;
            case "sample" -> SAMPLE;
            default -> EPSILON;
        };
    }

    @Override
    public Terms clean(NoiseLevel level) {
        double alpha = level.alpha();
        double sigma = level.sigma();
        return switch (this) {
            case EPSILON -> new Terms(1 / alpha, -sigma / alpha);
            case SAMPLE -> new Terms(0, 1);
            case VELOCITY -> {
                double norm = alpha * alpha + sigma * sigma;
                yield new Terms(alpha / norm, -sigma / Math.sqrt(norm));
            }
            case FLOW -> new Terms(1 / (alpha + sigma), -sigma / (alpha + sigma));
        };
    }

    @Override
    public Terms noise(NoiseLevel level) {
        double alpha = level.alpha();
        double sigma = level.sigma();
        return switch (this) {
            case EPSILON -> new Terms(0, 1);
            case SAMPLE -> new Terms(1 / sigma, -alpha / sigma);
            case VELOCITY -> {
                double norm = alpha * alpha + sigma * sigma;
                yield new Terms(sigma / norm, alpha / Math.sqrt(norm));
            }
            case FLOW -> new Terms(1 / (alpha + sigma), alpha / (alpha + sigma));
        };
    }

    @Override
    public String toString() {
        return option;
    }
}
