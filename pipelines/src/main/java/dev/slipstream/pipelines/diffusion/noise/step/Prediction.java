package dev.slipstream.pipelines.diffusion.noise.step;

import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaSpacing.Kind;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.NoiseTable.Mix;

/** What a denoiser predicts, and so how the clean image and the noise follow from latents and prediction. */
public interface Prediction {
    /** The estimate of the clean image x0. */
    LinearForm clean(Mix level);

    /** The estimate of the noise ε. */
    default LinearForm noise(Mix level) {
        return LinearForm.LATENT.minus(clean(level).times(level.image())).times(1 / level.noise());
    }

    /** Reads {@code prediction_type} of a model that was trained by a schedule of betas. */
    static Prediction read(SchedulerOptions options) {
        return switch (options.choice("prediction_type", "epsilon", "epsilon", "v_prediction", "sample")) {
            case "v_prediction" -> Type.VELOCITY;
            case "sample" -> Type.SAMPLE;
            default -> Type.EPSILON;
        };
    }

    /** The same for methods that also sample models of flow matching, where {@code use_flow_sigmas} says so. */
    static Prediction readWithFlow(SchedulerOptions options) {
        boolean flow = options.flag(Kind.FLOW.option(), false);
        if (options.text("prediction_type", "").equals("flow_prediction")) {
            if (!flow) {
                throw options.error("prediction_type is flow_prediction, so use_flow_sigmas must be true");
            }
            return Type.FLOW;
        }
        Prediction type = read(options);
        if (flow && type == Type.VELOCITY) {
            throw options.error("use_flow_sigmas is true, so prediction_type must be flow_prediction");
        }
        return type;
    }

    /**
     * The usual ones. The formulas hold for any scale of the latents: {@code v = (alpha·ε − sigma·x0) / √(alpha² +
     * sigma²)} is that of Salimans and Ho (2022) in the variance preserving space and diffusers' form of it in the
     * variance exploding one.
     */
    enum Type implements Prediction {
        /** The noise ε. */
        EPSILON,
        /** The velocity of Salimans and Ho (2022). */
        VELOCITY,
        /** The clean image x0. */
        SAMPLE,
        /** The velocity of flow matching, {@code ε − x0}. */
        FLOW;

        @Override
        public LinearForm clean(Mix level) {
            double alpha = level.image();
            double sigma = level.noise();
            return switch (this) {
                case EPSILON -> new LinearForm(1 / alpha, -sigma / alpha);
                case SAMPLE -> new LinearForm(0, 1);
                case VELOCITY -> {
                    double norm = alpha * alpha + sigma * sigma;
                    yield new LinearForm(alpha / norm, -sigma / Math.sqrt(norm));
                }
                case FLOW -> new LinearForm(1 / (alpha + sigma), -sigma / (alpha + sigma));
            };
        }

        @Override
        public LinearForm noise(Mix level) {
            double alpha = level.image();
            double sigma = level.noise();
            return switch (this) {
                case EPSILON -> new LinearForm(0, 1);
                case SAMPLE -> new LinearForm(1 / sigma, -alpha / sigma);
                case VELOCITY -> {
                    double norm = alpha * alpha + sigma * sigma;
                    yield new LinearForm(sigma / norm, alpha / Math.sqrt(norm));
                }
                case FLOW -> new LinearForm(1 / (alpha + sigma), alpha / (alpha + sigma));
            };
        }
    }

    /**
     * What the denoisers of Karras et al. predict: a mixture of image and noise in which no noise level is harder than
     * another.
     *
     * @param sigmaData the standard deviation of the training images
     * @param sign -1 where the model calls its prediction a velocity
     * @see <a href="https://arxiv.org/abs/2206.00364">Karras et al. (2022), table 1</a>
     */
    record Edm(double sigmaData, int sign) implements Prediction {
        public static Edm read(SchedulerOptions options) {
            String type = options.choice("prediction_type", "epsilon", "epsilon", "v_prediction");
            return new Edm(options.positiveNumber("sigma_data", 0.5), type.equals("epsilon") ? 1 : -1);
        }

        @Override
        public LinearForm clean(Mix level) {
            double sigma = level.noise();
            double norm = sigma * sigma + sigmaData * sigmaData;
            return new LinearForm(sigmaData * sigmaData / norm, sign * sigma * sigmaData / Math.sqrt(norm));
        }

        /** What the denoiser's input is multiplied by. */
        public double inputScale(double sigma) {
            return 1 / Math.hypot(sigma, sigmaData);
        }
    }
}
