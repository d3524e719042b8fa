package dev.slipstream.pipelines.run.loop;

import dev.slipstream.bridge.Arithmetic.Limit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/**
 * A noise scheduler, worked out for one number of steps: rows of coefficients, known before the loop starts.
 *
 * <p>With {@code x} the latents, {@code p} the (guided) prediction of the denoiser and {@code n} standard normal
 * noise, step {@code i} feeds the denoiser {@code inputScale·x} and the timestep, and then computes
 * <pre>
 *   x(i+1) = next.latent·x(i) + next.prediction·p(i) + next.clean·c(i) + Σₖ next.past[k]·h(i-1-k)
 *            + next.noise·n(i) + Σₖ next.pastNoise[k]·n(i-1-k)
 *   h(i)   = history.latent·x(i) + history.prediction·p(i) + history.clean·c(i)
 *   e(i)   = estimate.latent·x(i) + estimate.prediction·p(i) + estimate.clean·c(i)
 *   c(i)   = limit(clean.latent·x(i) + clean.prediction·p(i))
 * </pre>
 * where {@code h} is what multistep methods remember (an estimate of the clean image, a derivative, or a prediction)
 * and {@code e} is the clean image that step {@code i} expects, in the scale of the last latents, which the decoder
 * takes. No step reads {@code e}; it is what previews show. {@code c} is the clean image that the denoiser expects,
 * kept within bounds, which is no linear form; only tables with a limit have it. (It is seldom the same as {@code e}
 * without its bound: a latent consistency model mixes it with the latents before it is shown.)
 *
 * <p>Where part of a picture is given, {@code p} is 0 there, and what a row calls {@code known} is added; see {@link
 * #repainting}. A row looks back to no step before the first one, and all coefficients are finite
 * in fp32.
 *
 * @param name the method, as people call it: {@code ddim}
 * @param initialScale what standard normal noise is multiplied by to give x(0)
 * @param limit what bounds the clean images; without it, every coefficient of {@code c} is 0
 */
public record NoiseTable(String name, double initialScale, List<Row> rows, Optional<Limit> limit) {
    /** Most earlier rows whose memories a row may use. */
    public static final int MAX_PAST = 4;

    public NoiseTable {
        rows = List.copyOf(rows);
        if (rows.isEmpty()) {
            throw new IllegalArgumentException("a noise table needs at least one step");
        }
        requireFinite(initialScale, "the initial scale");
        for (int step = 0; step < rows.size(); step++) {
            Row row = rows.get(step);
            String where = "step " + step + " of " + name;
            if (row.next().reach() > step) {
                throw new IllegalArgumentException(where + " looks back " + row.next().reach() + " steps");
            }
            row.coefficients().forEach(coefficient -> requireFinite(coefficient, "a coefficient of " + where));
            if (row.clean().clean() != 0) {
                throw new IllegalArgumentException(where + " limits what is limited already");
            }
            if (row.usesClean() && (limit.isEmpty() || row.clean().equals(LinearForm.ZERO))) {
                throw new IllegalArgumentException(where + " takes a limited clean image, but "
                    + (limit.isEmpty() ? "the table has no limit" : "does not say what it is"));
            }
        }
    }

    /** A table without a limit: each step is linear. */
    public NoiseTable(String name, double initialScale, List<Row> rows) {
        this(name, initialScale, rows, Optional.empty());
    }

    /** The same limit, and other rows. */
    public NoiseTable withRows(List<Row> other) {
        return new NoiseTable(name, initialScale, other, limit);
    }

    private static void requireFinite(double value, String what) {
        // Steps are taken in fp32.
        if (!Float.isFinite((float) value)) {
            throw new IllegalArgumentException(what + " is " + value + ", which is no finite fp32 number");
        }
    }

    /**
     * One run of the denoiser. {@code history} is {@link LinearForm#ZERO} for methods that look back at nothing.
     *
     * @param level how the latents that the step takes are mixed
     * @param clean what the limit bounds; {@link LinearForm#ZERO} where nothing is bounded
     * @param known what is added where the picture is known
     * @param continues whether the row belongs to the same step of the method as the row before it: methods of second
     *     order run the denoiser twice a step. A loop can begin and end only between steps
     */
    public record Row(double timestep, double inputScale, LinearForm next, LinearForm history, LinearForm estimate,
        Mix level, LinearForm clean, Known known, boolean continues) {
        public Row {
            long used = next.past().stream().filter(weight -> weight != 0).count();
            if (used > MAX_PAST) {
                throw new IllegalArgumentException("at most " + MAX_PAST + " past steps, not " + used);
            }
            if (!history.isOfOneStep() || !estimate.isOfOneStep() || !clean.isOfOneStep()) {
                throw new IllegalArgumentException("what a step remembers, estimates and limits is made of its own "
                    + "latents and prediction, not of " + history + ", " + estimate + " and " + clean);
            }
        }

        public Row(double timestep, double inputScale, LinearForm next, LinearForm history, LinearForm estimate,
            Mix level) {
            this(timestep, inputScale, next, history, estimate, level, LinearForm.ZERO, Known.NOTHING, false);
        }

        /** A row of a table that can only start from noise. */
        public Row(double timestep, double inputScale, LinearForm next, LinearForm history, LinearForm estimate) {
            this(timestep, inputScale, next, history, estimate, Mix.NOTHING);
        }

        /** The same row, which says what the limit bounds. */
        public Row withClean(LinearForm form) {
            return new Row(timestep, inputScale, next, history, estimate, level, form, known, continues);
        }

        /** The same row as one that goes on with the step of the row before it. */
        public Row continued() {
            return new Row(timestep, inputScale, next, history, estimate, level, clean, known, true);
        }

        private Row withKnown(Known added) {
            return new Row(timestep, inputScale, next, history, estimate, level, clean, added, continues);
        }

        private boolean usesClean() {
            return next.clean() != 0 || history.clean() != 0 || estimate.clean() != 0;
        }

        private DoubleStream coefficients() {
            DoubleStream own = DoubleStream.of(timestep, inputScale);
            DoubleStream linear = Stream.of(next, history, estimate, clean)
                .flatMapToDouble(form -> DoubleStream.of(form.latent(), form.prediction(), form.clean(), form.noise()));
            DoubleStream mixed = Stream.of(level, known.prediction, known.next, known.estimate)
                .flatMapToDouble(mix -> DoubleStream.of(mix.image, mix.noise));
            DoubleStream past = Stream.of(next.past(), next.pastNoise()).flatMap(List::stream)
                .mapToDouble(Double::doubleValue);
            return Stream.of(own, linear, mixed, past).flatMapToDouble(all -> all);
        }
    }

    /**
     * What is added where the picture is known, as mixtures of its clean latents and of {@code n(0)}.
     *
     * @param prediction added to p
     * @param next added to the next latents
     * @param estimate added to the estimate
     */
    public record Known(Mix prediction, Mix next, Mix estimate) {
        public static final Known NOTHING = new Known(Mix.NOTHING, Mix.NOTHING, Mix.NOTHING);
    }

    /**
     * A mixture of the clean latents of a given picture and of standard normal noise. As the level of a step's latents
     * it is what papers call alpha and sigma.
     */
    public record Mix(double image, double noise) {
        public static final Mix NOTHING = new Mix(0, 0);
        public static final Mix CLEAN = new Mix(1, 0);

        private Mix plus(Mix other, double weight) {
            return new Mix(image + weight * other.image, noise + weight * other.noise);
        }

        private Mix times(double weight) {
            return NOTHING.plus(this, weight);
        }
    }

    /** Whether some row needs fresh noise. */
    public boolean needsNoise() {
        return rows.stream().anyMatch(row -> row.next().isNoisy());
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
     * <p>A linear step is led there by its prediction. With a limit, the prediction makes the clean image 0, which no
     * bound changes, and what is missing is added to the next latents and to the estimate.
     *
     * @param begin how the known part is mixed in the first latents
     * @throws IllegalArgumentException if the bound of a picture depends on all of its values, the known ones too, or
     *     a step is so small that nothing it adds would lead to what is known
     */
    public NoiseTable repainting(Mix begin) {
        if (limit.filter(Limit.DynamicThreshold.class::isInstance).isPresent()) {
            throw new IllegalArgumentException("with dynamic thresholding nothing of a picture can be kept, as its "
                + "bound depends on all of the picture; leave out the mask, or choose another noise scheduler");
        }
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
            Known known = limit.isPresent() ? limited(row, from, missing)
                : new Known(ratio(missing, row.next().prediction()), Mix.NOTHING, Mix.NOTHING);
            remembered.add(from.times(row.history().latent()).plus(known.prediction(), row.history().prediction()));
            repainted.add(row.withKnown(known));
            from = to;
        }
        try {
            return withRows(repainted);
        } catch (IllegalArgumentException infinite) {
            throw new IllegalArgumentException("with these noise levels nothing of a picture can be kept, as "
                + infinite.getMessage() + "; leave out the mask, or choose another noise scheduler", infinite);
        }
    }

    /** @param missing what the next latents lack beside prediction and clean image */
    private static Known limited(Row row, Mix from, Mix missing) {
        Mix prediction = ratio(from.times(-row.clean().latent()), row.clean().prediction());
        return new Known(prediction, missing.plus(prediction, -row.next().prediction()),
            Mix.CLEAN.plus(from, -row.estimate().latent()).plus(prediction, -row.estimate().prediction()));
    }

    private static Mix ratio(Mix mix, double divisor) {
        return divisor == 0 ? Mix.NOTHING : mix.times(1 / divisor);
    }

    public int steps() {
        return rows.size();
    }
}
