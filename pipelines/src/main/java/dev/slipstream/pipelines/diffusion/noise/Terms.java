package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.pipelines.run.NoiseTable.Linear;
import dev.slipstream.pipelines.run.NoiseTable.Next;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A linear form in what a step can use, so that methods are written as their formulas: the latents {@code x}, the
 * denoiser's prediction {@code p}, the limited clean image {@code c}, what earlier steps remembered, and noise.
 *
 * @param past {@code past.get(k)} belongs to what the step {@code k + 1} before remembered
 * @param noise {@code noise.get(k)} belongs to the noise of the step {@code k} before; the first is that of this step
 */
record Terms(double latent, double prediction, double clean, List<Double> past, List<Double> noise) {
    static final Terms ZERO = new Terms(0, 0);
    static final Terms LATENT = new Terms(1, 0);
    static final Terms PREDICTION = new Terms(0, 1);
    /** The clean image that the denoiser expects, limited; of methods with a limit. */
    static final Terms CLEAN = new Terms(0, 0, 1, List.of(), List.of());
    /** Fresh noise. */
    static final Terms NOISE = noise(0);

    Terms(double latent, double prediction) {
        this(latent, prediction, 0, List.of(), List.of());
    }

    /** What the step so many before remembered. @param back at least 1 */
    static Terms past(int back) {
        return new Terms(0, 0, 0, unit(back - 1), List.of());
    }

    /** The noise of the step so many before; 0 is this step. */
    static Terms noise(int back) {
        return new Terms(0, 0, 0, List.of(), unit(back));
    }

    private static List<Double> unit(int index) {
        List<Double> unit = new ArrayList<>(Collections.nCopies(index, 0.0));
        unit.add(1.0);
        return unit;
    }

    Terms times(double factor) {
        return new Terms(factor * latent, factor * prediction, factor * clean,
            past.stream().map(each -> factor * each).toList(), noise.stream().map(each -> factor * each).toList());
    }

    Terms plus(Terms other) {
        return new Terms(latent + other.latent, prediction + other.prediction, clean + other.clean,
            sum(past, other.past), sum(noise, other.noise));
    }

    Terms minus(Terms other) {
        return plus(other.times(-1));
    }

    private static List<Double> sum(List<Double> one, List<Double> other) {
        List<Double> sum = new ArrayList<>();
        for (int k = 0; k < Math.max(one.size(), other.size()); k++) {
            sum.add((k < one.size() ? one.get(k) : 0) + (k < other.size() ? other.get(k) : 0));
        }
        return sum;
    }

    /** This form as the next latents. */
    Next next() {
        double fresh = noise.isEmpty() ? 0 : noise.getFirst();
        return new Next(latent, prediction, clean, past, fresh,
            noise.isEmpty() ? noise : noise.subList(1, noise.size()));
    }

    /** This form as what a step remembers, or estimates: of its own latents and prediction. */
    Linear linear() {
        if (!past.isEmpty() || !noise.isEmpty()) {
            throw new IllegalStateException("no form of one step's latents and prediction: " + this);
        }
        return new Linear(latent, prediction, clean);
    }
}
