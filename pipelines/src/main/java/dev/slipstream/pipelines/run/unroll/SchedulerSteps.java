package dev.slipstream.pipelines.run.unroll;

import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.Arithmetic.Limit;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.LoopSpec;
import dev.slipstream.pipelines.run.loop.NoiseTable.Mix;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Work;
import dev.slipstream.pipelines.run.unroll.Value.Access;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The noise scheduler's part of each step, on the plan's home device: the next latents, what later steps remember of
 * this one, and its estimate.
 */
final class SchedulerSteps {
    /** Terms of a sum, each a tensor like the latents and its weight. */
    private static final class Sum {
        private final List<Access> from = new ArrayList<>();
        private final List<Float> weights = new ArrayList<>();

        void add(Access tensor, double weight) {
            from.add(tensor);
            weights.add((float) weight);
        }

        /** The sum of {@code part}, which is that of the first terms, and of the others. */
        Sum after(Access part, int terms) {
            Sum rest = new Sum();
            rest.from.add(part);
            rest.weights.add(1f);
            rest.from.addAll(from.subList(terms, from.size()));
            rest.weights.addAll(weights.subList(terms, weights.size()));
            return rest;
        }
    }

    private final int home;
    private final LoopSpec loop;
    private final Bands bands;
    private final HostValues host;
    private final Predictions predictions;
    private final TaskList tasks;
    private final List<Banded> remembered = new ArrayList<>();
    private final Map<Integer, Banded> noise = new HashMap<>();
    private final Map<String, Banded> known = new HashMap<>();
    private final Map<Integer, Value> estimates = new HashMap<>();
    private int step;
    private int band;
    private Row row;
    private Banded x;
    private Banded next;
    private Banded estimate;
    private Value limited;

    /** @param tasks where the work goes */
    SchedulerSteps(int home, LoopSpec loop, Bands bands, HostValues host, Predictions predictions, TaskList tasks) {
        this.home = home;
        this.loop = loop;
        this.bands = bands;
        this.host = host;
        this.predictions = predictions;
        this.tasks = tasks;
    }

    /** By step, each written before the step's latents. */
    Map<Integer, Value> estimates() {
        return estimates;
    }

    /** Begins the next step. @param latents before it, at home @return the latents after it, which are still to make */
    Banded begin(int nextStep, Banded latents) {
        step = nextStep;
        row = loop.noise().rows().get(step);
        x = latents;
        next = new Banded(bands);
        estimate = new Banded(bands);
        remembered.add(isRemembered() ? new Banded(bands) : null);
        return next;
    }

    /**
     * Takes the step for the whole latents, or for a band of them: all of them in their order.
     *
     * @param part its number, or {@link Bands#WHOLE}
     * @return the latents after the step, as far as they are made
     */
    Value take(int part) {
        band = part;
        limited = null;
        boolean isLast = part == Bands.WHOLE || part == bands.count() - 1;
        if (remembered.getLast() != null) {
            remembered.getLast().put(band, remember());
        }
        if (loop.isEstimated(step)) {
            // Before the next latents, whose event says that the step is done.
            Value made = make(sum(row.estimate(), row.known().estimate()), result("estimate", true));
            estimate.put(band, made);
            if (isLast) {
                estimates.put(step, joined(estimate, made));
            }
        }
        boolean isRead = loop.isKept(step);
        Value made = make(next(row.next()), result("x", isRead));
        next.put(band, made);
        return isLast && isRead ? joined(next, made) : made;
    }

    /** A value for the whole latents, or for a band of them. @param isRead whether the whole is read after the run */
    private Value result(String name, boolean isRead) {
        return isRead && band == Bands.WHOLE ? Value.pinned(home, bands.bytes(band)) : made(name);
    }

    private Value made(String name) {
        return Value.made(Bands.role(name, band), home, bands.bytes(band));
    }

    /** The whole of what may be bands. @param made the last of them, or the whole */
    private Value joined(Banded all, Value made) {
        if (band == Bands.WHOLE) {
            return made;
        }
        Value whole = Value.pinned(home, bands.bytes(Bands.WHOLE));
        all.joinTo(whole, step);
        return whole;
    }

    private Access in(Banded tensor) {
        return tensor.in(band, step).all();
    }

    private boolean isRemembered() {
        List<Row> rows = loop.noise().rows();
        for (int later = step + 1; later < rows.size(); later++) {
            List<Double> past = rows.get(later).next().past();
            int back = later - 1 - step;
            if (back < past.size() && past.get(back) != 0) {
                return true;
            }
        }
        return false;
    }

    private Value remember() {
        return row.history().equals(LinearForm.CLEAN) ? limited()
            : make(sum(row.history(), Mix.NOTHING), made("h"));
    }

    private Sum next(LinearForm next) {
        Sum sum = new Sum();
        sum.add(in(x), next.latent());
        addPrediction(sum, next.prediction(), next.clean(), row.known().next());
        for (int back = 0; back < next.past().size(); back++) {
            if (next.past().get(back) != 0) {
                sum.add(in(remembered.get(step - 1 - back)), next.past().get(back));
            }
        }
        addNoise(sum, step, next.noise());
        for (int back = 0; back < next.pastNoise().size(); back++) {
            addNoise(sum, step - 1 - back, next.pastNoise().get(back));
        }
        return sum;
    }

    private void addNoise(Sum sum, int ofStep, double weight) {
        if (weight != 0) {
            long bytes = loop.latents().bytes();
            sum.add(in(noise.computeIfAbsent(ofStep, key -> new Banded(bands,
                host.given(Program.NOISE, home, ofStep * bytes, bytes)))), weight);
        }
    }

    private Sum sum(LinearForm form, Mix mix) {
        Sum sum = new Sum();
        if (form.latent() != 0) {
            sum.add(in(x), form.latent());
        }
        addPrediction(sum, form.prediction(), form.clean(), mix);
        return sum;
    }

    /** @param mix what is added where the picture is known, beside the prediction there */
    private void addPrediction(Sum sum, double prediction, double clean, Mix mix) {
        if (prediction != 0 || clean == 0) {
            predictions.of(step, band).forEach(part -> sum.add(part.access(), prediction * part.weight()));
        }
        if (clean != 0) {
            sum.add(limited().all(), clean);
        }
        Mix added = row.known().prediction();
        addKnown(sum, Program.KNOWN_IMAGE, prediction * added.image() + mix.image());
        addKnown(sum, Program.KNOWN_NOISE, prediction * added.noise() + mix.noise());
    }

    private void addKnown(Sum sum, String tensor, double weight) {
        if (weight != 0) {
            sum.add(in(known.computeIfAbsent(tensor, key -> new Banded(bands,
                host.given(tensor, home, 0, loop.latents().bytes())))), weight);
        }
    }

    /** The limited clean image of this step, made when it is first asked for. */
    private Value limited() {
        if (limited == null) {
            Limit limit = loop.noise().limit().orElseThrow();
            int pictures = Math.toIntExact(loop.latents().shape().dim(0));
            Value clean = make(sum(row.clean(), Mix.NOTHING), made("clean"));
            limited = made("limited");
            tasks.add(home, step, new Work.Limiting<>(limited.all(), clean.all(), pictures, limit));
        }
        return limited;
    }

    private Value make(Sum sum, Value made) {
        Sum rest = sum;
        while (rest.from.size() > Combination.MAX_TERMS) {
            Value part = made("sum");
            combine(part, rest.from.subList(0, Combination.MAX_TERMS), rest.weights.subList(0, Combination.MAX_TERMS));
            rest = rest.after(part.all(), Combination.MAX_TERMS);
        }
        combine(made, rest.from, rest.weights);
        return made;
    }

    private void combine(Value made, List<Access> from, List<Float> weights) {
        tasks.add(home, step, new Work.Combine<>(made.all(), from, weights));
    }
}
