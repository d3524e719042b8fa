package dev.slipstream.pipelines.run;

import java.util.ArrayList;
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
 * takes. No step reads {@code e}; it is what previews show. Where part of a picture is given, {@code p} is 0 there and
 * {@code known.image·k + known.noise·n(0)} is added to it, with {@code k} the clean latents of that part; see {@link
 * #repainting}.
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
                row.estimate().prediction(), row.level().image(), row.level().noise(), row.known().image(),
                row.known().noise())
                .forEach(coefficient -> requireFinite(coefficient, where));
            row.next().past().forEach(coefficient -> requireFinite(coefficient, where));
        }
    }

    private static void requireFinite(double value, String what) {
        if (!Double.isFinite(value)) {
            throw new IllegalArgumentException(what + " is " + value);
        }
    }

    /**
     * One step. {@code history} is {@link Linear#ZERO} for methods that look back at nothing.
     *
     * @param level how the latents that the step takes are mixed
     * @param known the prediction where the picture is known; {@link Mix#NOTHING} where none is
     */
    public record Row(double timestep, double inputScale, Next next, Linear history, Linear estimate, Mix level,
        Mix known) {
        public Row(double timestep, double inputScale, Next next, Linear history, Linear estimate, Mix level) {
            this(timestep, inputScale, next, history, estimate, level, Mix.NOTHING);
        }

        /** A row of a table that can only start from noise. */
        public Row(double timestep, double inputScale, Next next, Linear history, Linear estimate) {
            this(timestep, inputScale, next, history, estimate, Mix.NOTHING, Mix.NOTHING);
        }

        Row withKnown(Mix prediction) {
            return new Row(timestep, inputScale, next, history, estimate, level, prediction);
        }
    }

    /** A mixture of the clean latents of a given picture and of standard normal noise. */
    public record Mix(double image, double noise) {
        public static final Mix NOTHING = new Mix(0, 0);
        public static final Mix CLEAN = new Mix(1, 0);

        private Mix plus(Mix other, double weight) {
            return new Mix(image + weight * other.image, noise + weight * other.noise);
        }
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

    /** How the first latents are mixed where they come from a picture, by the noise scheduler's own rule. */
    public Mix start() {
        return rows.getFirst().level();
    }

    /**
     * The table for a loop in which part of the picture is known and stays so: there each step ends at the noise
     * scheduler's own mixture for the next one, and the last at the clean image, as where diffusers puts the known part
     * back after every step. Fresh noise must be 0 in the known part.
     *
     * <p>A step is linear, so there is a prediction that leads it there; the row tells it as {@code known}.
     *
     * @param begin how the known part is mixed in the first latents
     */
    public NoiseTable repainting(Mix begin) {
        List<Row> repainted = new ArrayList<>();
        List<Mix> remembered = new ArrayList<>();
        Mix from = begin;
        for (int step = 0; step < rows.size(); step++) {
            Row row = rows.get(step);
            Mix to = step + 1 < rows.size() ? rows.get(step + 1).level() : Mix.CLEAN;
            Mix missing = to.plus(from, -row.next().latent());
            for (int back = 0; back < row.next().past().size(); back++) {
                missing = missing.plus(remembered.get(step - 1 - back), -row.next().past().get(back));
            }
            double weight = row.next().prediction();
            Mix known = weight == 0 ? Mix.NOTHING : Mix.NOTHING.plus(missing, 1 / weight);
            remembered.add(Mix.NOTHING.plus(from, row.history().latent()).plus(known, row.history().prediction()));
            repainted.add(row.withKnown(known));
            from = to;
        }
        return new NoiseTable(name, initialScale, repainted);
    }

    public int steps() {
        return rows.size();
    }
}
