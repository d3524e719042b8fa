package dev.slipstream.pipelines.diffusion.noise.schedule;

import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import dev.slipstream.pipelines.run.loop.NoiseTable.Mix;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * How much noise the model saw at each of its training timesteps. Immutable.
 *
 * <p>Worked out in double precision; diffusers uses fp32, so its coefficients differ in about the sixth digit.
 */
public final class TrainingSchedule {
    /** What k-diffusion methods take for zero, so that the first sigma is finite; diffusers' value. */
    private static final double SMALLEST_ALPHA_CUMPROD = 0x1p-24;
    private static final double LARGEST_BETA = 0.999;
    /** A thousand times what models are trained with; there is a number for each. */
    private static final int MOST_TIMESTEPS = 1_000_000;

    private final SchedulerOptions options;
    private final double[] alphasCumprod;
    private final boolean zeroTerminalSnr;

    private TrainingSchedule(SchedulerOptions options, double[] alphasCumprod, boolean zeroTerminalSnr) {
        this.options = options;
        this.alphasCumprod = alphasCumprod;
        this.zeroTerminalSnr = zeroTerminalSnr;
    }

    /**
     * Reads the betas, with the defaults that most diffusers classes share.
     *
     * @param moreSchedules of betas that the method knows besides those that all know
     */
    public static TrainingSchedule read(SchedulerOptions options, String... moreSchedules) {
        return read(options, 0.0001, 0.02, "linear", moreSchedules);
    }

    public static TrainingSchedule read(SchedulerOptions options, double betaStart, double betaEnd, String betaSchedule,
                                        String... moreSchedules) {
        double[] betas = betas(options, betaStart, betaEnd, betaSchedule, moreSchedules);
        double[] alphasCumprod = new double[betas.length];
        double product = 1;
        for (int timestep = 0; timestep < betas.length; timestep++) {
            double beta = betas[timestep];
            if (!(beta > 0 && beta < 1)) {
                throw options.error("beta " + beta + " of timestep " + timestep + " is not between 0 and 1");
            }
            product *= 1 - beta;
            alphasCumprod[timestep] = product;
        }
        return new TrainingSchedule(options, alphasCumprod, false);
    }

    /**
     * The same for methods that know {@code rescale_betas_zero_snr}; it is without effect on others, as in diffusers.
     */
    public static TrainingSchedule readRescaled(SchedulerOptions options, String... moreSchedules) {
        return read(options, moreSchedules).rescaled();
    }

    public static TrainingSchedule readRescaled(SchedulerOptions options, double betaStart, double betaEnd,
                                                String betaSchedule) {
        return read(options, betaStart, betaEnd, betaSchedule).rescaled();
    }

    private TrainingSchedule rescaled() {
        if (!options.flag("rescale_betas_zero_snr", false)) {
            return this;
        }
        if (timesteps() < 2) {
            throw options.error("rescale_betas_zero_snr needs at least 2 training timesteps");
        }
        double[] rescaled = alphasCumprod.clone();
        rescaleToZeroTerminalSnr(rescaled);
        return new TrainingSchedule(options, rescaled, true);
    }

    private static double[] betas(SchedulerOptions options, double betaStart, double betaEnd, String betaSchedule,
                                  String... moreSchedules) {
        int trained = options.positive("num_train_timesteps", 1000);
        if (trained > MOST_TIMESTEPS) {
            throw options.error("num_train_timesteps is " + trained + ", but can be at most " + MOST_TIMESTEPS);
        }
        List<Double> given = options.numbers("trained_betas");
        if (!given.isEmpty()) {
            if (given.size() != trained) {
                throw options.error("trained_betas has " + given.size() + " entries, but num_train_timesteps is "
                    + trained);
            }
            return given.stream().mapToDouble(Double::doubleValue).toArray();
        }
        double start = options.number("beta_start", betaStart);
        double end = options.number("beta_end", betaEnd);
        IntStream timesteps = IntStream.range(0, trained);
        double last = Math.max(1, trained - 1);
        String[] schedules = Stream.concat(Stream.of("linear", "scaled_linear", "squaredcos_cap_v2"),
            Stream.of(moreSchedules)).toArray(String[]::new);
        return switch (options.choice("beta_schedule", betaSchedule, schedules)) {
            case "linear" -> timesteps.mapToDouble(t -> start + (end - start) * (t / last)).toArray();
            case "scaled_linear" -> timesteps.mapToDouble(t -> {
                double root = Math.sqrt(start) + (Math.sqrt(end) - Math.sqrt(start)) * (t / last);
                return root * root;
            }).toArray();
            case "sigmoid" -> timesteps.mapToDouble(t -> start + (end - start) / (1 + Math.exp(6 - 12 * (t / last))))
                .toArray();
            case "exp" -> ofSignal(trained, time -> Math.exp(-12 * time));
            case "laplace" -> ofSignal(trained, TrainingSchedule::laplace);
            default -> ofSignal(trained, TrainingSchedule::cosine);
        };
    }

    /** Betas from what remains of the image at a time from 0 to 1. */
    private static double[] ofSignal(int trained, DoubleUnaryOperator signal) {
        return IntStream.range(0, trained).mapToDouble(t -> Math.min(LARGEST_BETA,
            1 - signal.applyAsDouble((t + 1.0) / trained) / signal.applyAsDouble((double) t / trained))).toArray();
    }

    /** Hang et al. (2024), "Improved Noise Schedule for Diffusion Training", in the form that diffusers has. */
    private static double laplace(double time) {
        double log = -Math.copySign(0.5, 0.5 - time) * Math.log(1 - 2 * Math.abs(0.5 - time) + 1e-6);
        return Math.sqrt(1 / (1 + Math.exp(-log)));
    }

    /** Nichol and Dhariwal (2021), equation 17. */
    private static double cosine(double time) {
        double root = Math.cos((time + 0.008) / 1.008 * Math.PI / 2);
        return root * root;
    }

    /** Lin et al. (2023), algorithm 1: the last alpha becomes 0 and the first stays. */
    private static void rescaleToZeroTerminalSnr(double[] alphasCumprod) {
        double first = Math.sqrt(alphasCumprod[0]);
        double last = Math.sqrt(alphasCumprod[alphasCumprod.length - 1]);
        Arrays.setAll(alphasCumprod, timestep -> {
            double alpha = (Math.sqrt(alphasCumprod[timestep]) - last) * first / (first - last);
            return alpha * alpha;
        });
    }

    public int timesteps() {
        return alphasCumprod.length;
    }

    /** The product of all (1 − beta) up to this timestep. */
    public double alphaCumprod(int timestep) {
        if (timestep < 0 || timestep >= alphasCumprod.length) {
            throw options.error("timestep " + timestep + " is not one of the " + alphasCumprod.length
                + " that the model was trained with; choose fewer steps or a smaller steps_offset");
        }
        return alphasCumprod[timestep];
    }

    public Mix level(int timestep) {
        double alphaCumprod = alphaCumprod(timestep);
        return new Mix(Math.sqrt(alphaCumprod), Math.sqrt(1 - alphaCumprod));
    }

    /** The level at the end of the path, for methods that choose by {@code set_alpha_to_one}. */
    public Mix finalLevel(boolean alphaIsOne) {
        return alphaIsOne ? Mix.CLEAN : level(0);
    }

    /** The same levels as k-diffusion sees them, sigma / alpha. */
    public SigmaSchedule sigmas() {
        double[] sigmas = Arrays.stream(alphasCumprod).map(TrainingSchedule::sigma).toArray();
        if (zeroTerminalSnr) {
            sigmas[sigmas.length - 1] = sigma(SMALLEST_ALPHA_CUMPROD);
        }
        return new SigmaSchedule(sigmas);
    }

    private static double sigma(double alphaCumprod) {
        return Math.sqrt((1 - alphaCumprod) / alphaCumprod);
    }

    /** For methods that divide by alpha: noise says nothing about the image where there is none in it. */
    public Mix levelWithSignal(int timestep, String method) {
        if (alphaCumprod(timestep) == 0) {
            throw options.error("rescale_betas_zero_snr is true, with which " + method
                + " cannot use epsilon predictions of the noisiest timestep (only v_prediction and sample); choose "
                + "euler, or timestep_spacing leading");
        }
        return level(timestep);
    }
}
