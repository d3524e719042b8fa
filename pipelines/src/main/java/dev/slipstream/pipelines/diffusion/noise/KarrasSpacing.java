package dev.slipstream.pipelines.diffusion.noise;

/**
 * Whether steps are spaced as Karras et al. (2022) do, and between which sigmas.
 *
 * @param min the least sigma; NaN for that of the path
 * @param max the largest sigma; NaN for that of the path
 */
record KarrasSpacing(boolean used, double min, double max) {
    static KarrasSpacing read(SchedulerOptions options) {
        boolean used = options.flag("use_karras_sigmas", false);
        double min = options.number("sigma_min", Double.NaN);
        double max = options.number("sigma_max", Double.NaN);
        if (used && !(Double.isNaN(min) && Double.isNaN(max))) {
            if (min <= 0 || max <= 0 || min >= max || max == Double.POSITIVE_INFINITY) {
                throw options.error("sigma_min and sigma_max must be positive, finite and in this order");
            }
        }
        return new KarrasSpacing(used, min, max);
    }

    double[] between(double largest, double least, int steps) {
        return SigmaSchedule.karras(Double.isNaN(max) ? largest : max, Double.isNaN(min) ? least : min, steps);
    }

    String name(String method) {
        return used ? method + "-karras" : method;
    }
}
