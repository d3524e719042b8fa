package dev.slipstream.pipelines.diffusion.noise.schedule;

import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;

/**
 * How the noise levels of the steps are spaced, and between which.
 *
 * @param min the least sigma; NaN for that of the schedule
 * @param max the largest sigma; NaN for that of the schedule
 */
public record SigmaSpacing(Kind kind, double min, double max) {
    /** The levels of the chosen timesteps, as they are. */
    static final SigmaSpacing OF_TIMESTEPS = new SigmaSpacing(Kind.TIMESTEPS, Double.NaN, Double.NaN);

    /** The ways to space noise levels, each with diffusers' option and the end of a method's name that asks for it. */
    public enum Kind {
        /** Those of the chosen timesteps. */
        TIMESTEPS("", ""),
        /** Karras et al. (2022), equation 5. */
        KARRAS("-karras", "use_karras_sigmas"),
        /** Even in log sigma. */
        EXPONENTIAL("-exponential", "use_exponential_sigmas"),
        /** By a beta distribution: dense at both ends (Lee et al. 2024, "Beta Sampling is All You Need"). */
        BETA("-beta", "use_beta_sigmas"),
        /** Even in the time of DPM-Solver (Lu et al. 2022), which is log sigma too. */
        LU("-lu", "use_lu_lambdas"),
        /** Of models that were trained by flow matching. */
        FLOW("", "use_flow_sigmas");

        /** What k-diffusion's methods know. */
        public static final Set<Kind> COMMON = Set.of(KARRAS, EXPONENTIAL, BETA);
        /** What DPM-Solver and its kin know. */
        public static final Set<Kind> SOLVER = Set.of(KARRAS, EXPONENTIAL, BETA, FLOW);
        public static final Set<Kind> ALL = Set.of(KARRAS, EXPONENTIAL, BETA, LU, FLOW);

        private final String suffix;
        private final String option;

        Kind(String suffix, String option) {
            this.suffix = suffix;
            this.option = option;
        }

        public String suffix() {
            return suffix;
        }

        public String option() {
            return option;
        }

        /** Those that a method's name can ask for. */
        public static List<Kind> named() {
            return Arrays.stream(values()).filter(kind -> !kind.suffix.isEmpty()).toList();
        }
    }

    private static final double KARRAS_RHO = 7;
    private static final double BETA_SHAPE = 0.6;

    /** @param known what the method has; options for others are without effect on it */
    public static SigmaSpacing read(SchedulerOptions options, Set<Kind> known) {
        List<Kind> flagged = Arrays.stream(Kind.values())
            .filter(kind -> known.contains(kind) && options.flag(kind.option, false)).toList();
        // Levels of flow matching can be spaced in another way.
        List<Kind> wanted = flagged.size() == 1 ? flagged
            : flagged.stream().filter(kind -> kind != Kind.FLOW).toList();
        if (wanted.size() > 1) {
            throw options.error("only one of " + String.join(", ", wanted.stream().map(Kind::option).toList())
                + " can be true");
        }
        Optional<Kind> kind = wanted.stream().findFirst();
        double min = options.number("sigma_min", Double.NaN);
        double max = options.number("sigma_max", Double.NaN);
        if (kind.filter(Kind.COMMON::contains).isEmpty()) {
            return new SigmaSpacing(kind.orElse(Kind.TIMESTEPS), Double.NaN, Double.NaN);
        }
        if (min <= 0 || max <= 0 || min >= max || max == Double.POSITIVE_INFINITY) {
            throw options.error("sigma_min and sigma_max must be positive, finite and in this order");
        }
        return new SigmaSpacing(kind.get(), min, max);
    }

    public boolean is(Kind other) {
        return kind == other;
    }

    SigmaSpacing withoutKarrasBounds() {
        return kind == Kind.KARRAS ? new SigmaSpacing(kind, Double.NaN, Double.NaN) : this;
    }

    /**
     * Descending levels, for all kinds but those that the timesteps or flow matching give.
     *
     * @throws IllegalArgumentException if one end is an option, and the other one of the schedule lies beyond it
     */
    public double[] levels(double largest, double least, int steps) {
        double from = Double.isNaN(max) ? largest : max;
        double to = Double.isNaN(min) ? least : min;
        if (from < to) {
            throw new IllegalArgumentException("noise levels would rise from sigma " + from + " to " + to);
        }
        return switch (kind) {
            case KARRAS -> karras(from, to, steps, KARRAS_RHO);
            case EXPONENTIAL, LU -> exponential(from, to, steps);
            case BETA -> {
                BetaDistribution distribution = new BetaDistribution(BETA_SHAPE);
                yield spaced(from, to, steps, part -> to + distribution.quantile(1 - part) * (from - to));
            }
            case TIMESTEPS, FLOW -> throw new IllegalStateException(kind + " levels do not follow from two ends");
        };
    }

    /** Karras et al. (2022), equation 5. */
    public static double[] karras(double from, double to, int steps, double rho) {
        double first = Math.pow(from, 1 / rho);
        double last = Math.pow(to, 1 / rho);
        return spaced(from, to, steps, part -> Math.pow(first + (last - first) * part, rho));
    }

    public static double[] exponential(double from, double to, int steps) {
        double first = Math.log(from);
        double last = Math.log(to);
        return spaced(from, to, steps, part -> Math.exp(first + (last - first) * part));
    }

    /** Both ends as they are, and what lies between them by the part of the way. */
    private static double[] spaced(double from, double to, int steps, DoubleUnaryOperator level) {
        return IntStream.range(0, steps).mapToDouble(step -> step == 0 ? from : step == steps - 1 ? to
            : level.applyAsDouble((double) step / (steps - 1))).toArray();
    }

    public String name(String method) {
        return method + kind.suffix;
    }

    /** The symmetric beta distribution, whose density is {@code (t·(1 − t))^(shape − 1)} up to a factor. */
    private static final class BetaDistribution {
        private static final int BISECTIONS = 60;
        private static final double PRECISION = 1e-15;

        private final double shape;
        private final double scale;

        /** @param shape positive, and of moderate size */
        BetaDistribution(double shape) {
            this.shape = shape;
            // Half of the distribution lies below 1/2.
            this.scale = 0.5 / unscaled(0.5);
        }

        /** The value that a share of {@code probability} lies below, which is more than 0 and less than 1. */
        double quantile(double probability) {
            if (probability > 0.5) {
                return 1 - quantile(1 - probability);
            }
            double low = 0;
            double high = 0.5;
            for (int i = 0; i < BISECTIONS; i++) {
                double middle = (low + high) / 2;
                if (scale * unscaled(middle) < probability) {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            return (low + high) / 2;
        }

        /** The integral of the density from 0 to {@code x}, by its series in x, which converges below 1. */
        private double unscaled(double x) {
            double term = 1;
            double sum = 1 / shape;
            for (int n = 1; term > PRECISION; n++) {
                term *= x * (n - shape) / n;
                sum += term / (shape + n);
            }
            return Math.pow(x, shape) * sum;
        }
    }
}
