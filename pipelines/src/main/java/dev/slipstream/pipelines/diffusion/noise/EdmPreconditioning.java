package dev.slipstream.pipelines.diffusion.noise;

/**
 * What the denoisers of Karras et al. predict: a mixture of image and noise in which no noise level is harder than
 * another.
 *
 * @param sigmaData the standard deviation of the training images
 * @param sign -1 where the model calls its prediction a velocity
 * @see <a href="https://arxiv.org/abs/2206.00364">Karras et al. (2022), table 1</a>
 */
record EdmPreconditioning(double sigmaData, int sign) implements Prediction {
    static EdmPreconditioning read(SchedulerOptions options) {
        String type = options.choice("prediction_type", "epsilon", "epsilon", "v_prediction");
        return new EdmPreconditioning(options.positiveNumber("sigma_data", 0.5), type.equals("epsilon") ? 1 : -1);
    }

    @Override
    public Terms clean(NoiseLevel level) {
        double sigma = level.sigma();
        double norm = sigma * sigma + sigmaData * sigmaData;
        return new Terms(sigmaData * sigmaData / norm, sign * sigma * sigmaData / Math.sqrt(norm));
    }

    /** What the denoiser's input is multiplied by. */
    double inputScale(double sigma) {
        return 1 / Math.hypot(sigma, sigmaData);
    }

    /** What the denoiser is told of the noise level. */
    static double timestep(double sigma) {
        return Math.log(sigma) / 4;
    }
}
