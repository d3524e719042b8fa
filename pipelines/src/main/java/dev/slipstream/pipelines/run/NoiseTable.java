package dev.slipstream.pipelines.run;

import java.util.List;
import java.util.stream.DoubleStream;

/**
 * A noise scheduler, worked out for one number of steps: rows of coefficients, known before the loop starts.
 *
 * <p>With {@code x} the latents, {@code p} the (guided) prediction of the denoiser and {@code n} standard normal
 * noise, step {@code i} feeds the denoiser {@code inputScale·x} and the timestep, and then computes
 * <pre>
 *   x(i+1) = next.latent·x(i) + next.prediction·p(i) + Σₖ next.past[k]·h(i-1-k) + next.noise·n(i)
 *   h(i)   = history.latent·x(i) + history.prediction·p(i)
 *   e(i)   = estimate.latent·x(i) + estimate.prediction·p(i)
 * </pre>
 * where {@code h} is what multistep methods remember (an estimate of the clean image, a derivative, or a prediction)
 * and {@code e} is the clean image that step {@code i} expects, in the scale of the last latents, which the decoder
 * takes. No step reads {@code e}; it is what previews show.
 * A row looks back to no step before the first one, and all coefficients are finite.
 *
 * @param name the method, as people call it: {@code ddim}
 * @param initialScale what standard normal noise is multiplied by to give x(0)
 */
public record NoiseTable(String name, double initialScale, List<Row> rows) {
    /** Most earlier steps that a row may look back to. */
    public static final int MAX_PAST = 4;

    public NoiseTable {
        rows = List.copyOf(rows);
        if (rows.isEmpty()) {
            throw new IllegalArgumentException("a noise table needs at least one step");
        }
        requireFinite(initialScale, "the initial scale");
        for (int step = 0; step < rows.size(); step++) {
            Row row = rows.get(step);
            if (row.next().past().size() > step) {
                throw new IllegalArgumentException("step " + step + " of " + name + " looks back "
                    + row.next().past().size() + " steps");
            }
            String where = "a coefficient of step " + step + " of " + name;
            DoubleStream.of(row.timestep(), row.inputScale(), row.next().latent(), row.next().prediction(),
                row.next().noise(), row.history().latent(), row.history().prediction(), row.estimate().latent(),
                row.estimate().prediction())
                .forEach(coefficient -> requireFinite(coefficient, where));
            row.next().past().forEach(coefficient -> requireFinite(coefficient, where));
        }
    }

    private static void requireFinite(double value, String what) {
        if (!Double.isFinite(value)) {
            throw new IllegalArgumentException(what + " is " + value);
        }
    }

    /** One step. {@code history} is {@link Linear#ZERO} for methods that look back at nothing. */
    public record Row(double timestep, double inputScale, Next next, Linear history, Linear estimate) {
    }

    /** Coefficients of the next latents; {@code past.get(k)} belongs to h(i-1-k). */
    public record Next(double latent, double prediction, List<Double> past, double noise) {
        public Next {
            past = List.copyOf(past);
            if (past.size() > MAX_PAST) {
                throw new IllegalArgumentException("at most " + MAX_PAST + " past steps, not " + past.size());
            }
        }
    }

    /** A linear form of a step's latents and prediction. */
    public record Linear(double latent, double prediction) {
        public static final Linear ZERO = new Linear(0, 0);
    }

    /** Whether some row needs fresh noise. */
    public boolean needsNoise() {
        return rows.stream().anyMatch(row -> row.next().noise() != 0);
    }

    public int steps() {
        return rows.size();
    }
}
