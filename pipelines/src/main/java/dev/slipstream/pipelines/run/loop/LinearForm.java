package dev.slipstream.pipelines.run.loop;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A linear form in what a step can use: the latents {@code x}, the denoiser's prediction {@code p}, the limited clean
 * image {@code c}, what earlier steps remembered, and noise. Methods are written with it as their formulas are. In the
 * i-th step it is
 * <pre>
 *   latent·x(i) + prediction·p(i) + clean·c(i) + Σₖ past[k]·h(i-1-k) + noise·n(i) + Σₖ pastNoise[k]·n(i-1-k)
 * </pre>
 */
public record LinearForm(double latent, double prediction, double clean, List<Double> past, double noise,
    List<Double> pastNoise) {
    public static final LinearForm ZERO = new LinearForm(0, 0);
    public static final LinearForm LATENT = new LinearForm(1, 0);
    public static final LinearForm PREDICTION = new LinearForm(0, 1);
    /** The limited clean image itself; of tables with a limit. */
    public static final LinearForm CLEAN = new LinearForm(0, 0, 1);
    /** Fresh noise. */
    public static final LinearForm NOISE = new LinearForm(0, 0, List.of(), 1);

    public LinearForm {
        past = List.copyOf(past);
        pastNoise = List.copyOf(pastNoise);
    }

    /** Of a step's own latents and prediction. */
    public LinearForm(double latent, double prediction) {
        this(latent, prediction, 0);
    }

    /** Of what a step itself has, without noise. */
    public LinearForm(double latent, double prediction, double clean) {
        this(latent, prediction, clean, List.of(), 0, List.of());
    }

    /** Of a table without a limit, by fresh noise only. */
    public LinearForm(double latent, double prediction, List<Double> past, double noise) {
        this(latent, prediction, 0, past, noise, List.of());
    }

    /** What the step so many before remembered. @param back at least 1 */
    public static LinearForm past(int back) {
        return new LinearForm(0, 0, unit(back), 0);
    }

    /** The noise of the step so many before. @param back at least 1 */
    public static LinearForm pastNoise(int back) {
        return new LinearForm(0, 0, 0, List.of(), 0, unit(back));
    }

    private static List<Double> unit(int length) {
        List<Double> unit = new ArrayList<>(Collections.nCopies(length - 1, 0.0));
        unit.add(1.0);
        return unit;
    }

    public LinearForm times(double factor) {
        return new LinearForm(factor * latent, factor * prediction, factor * clean, times(past, factor),
            factor * noise, times(pastNoise, factor));
    }

    public LinearForm plus(LinearForm other) {
        return new LinearForm(latent + other.latent, prediction + other.prediction, clean + other.clean,
            sum(past, other.past), noise + other.noise, sum(pastNoise, other.pastNoise));
    }

    public LinearForm minus(LinearForm other) {
        return plus(other.times(-1));
    }

    private static List<Double> times(List<Double> weights, double factor) {
        return weights.stream().map(weight -> factor * weight).toList();
    }

    private static List<Double> sum(List<Double> one, List<Double> other) {
        List<Double> sum = new ArrayList<>();
        for (int k = 0; k < Math.max(one.size(), other.size()); k++) {
            sum.add((k < one.size() ? one.get(k) : 0) + (k < other.size() ? other.get(k) : 0));
        }
        return sum;
    }

    /** How many steps back it looks. */
    int reach() {
        return Math.max(past.size(), pastNoise.size());
    }

    /** Whether it takes noise, fresh or not. */
    boolean isNoisy() {
        return noise != 0 || pastNoise.stream().anyMatch(weight -> weight != 0);
    }

    /** Whether it takes nothing but what its own step has, and no noise. */
    boolean isOfOneStep() {
        return reach() == 0 && noise == 0;
    }
}
