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
    private final HostValues host;
    private final Predictions predictions;
    private final TaskList tasks;
    private final List<Value> remembered = new ArrayList<>();
    private final Map<Integer, Value> estimates = new HashMap<>();
    private int step;
    private Row row;
    private Value x;
    private Value limited;

    /** @param tasks where the work goes */
    SchedulerSteps(int home, LoopSpec loop, HostValues host, Predictions predictions, TaskList tasks) {
        this.home = home;
        this.loop = loop;
        this.host = host;
        this.predictions = predictions;
        this.tasks = tasks;
    }

    /** By step, each written before the step's latents. */
    Map<Integer, Value> estimates() {
        return estimates;
    }

    /** Takes the next step. @param latents before it, at home @return the latents after it */
    Value take(int nextStep, Value latents) {
        step = nextStep;
        row = loop.noise().rows().get(step);
        x = latents;
        limited = null;
        remembered.add(isRemembered() ? remember() : null);
        if (loop.isEstimated(step)) {
            // Before the next latents, whose event says that the step is done.
            estimates.put(step, make(sum(row.estimate(), row.known().estimate()), Value.pinned(home, x.bytes())));
        }
        boolean isRead = loop.keepLatents() || step == loop.noise().steps() - 1;
        return make(next(row.next()), isRead ? Value.pinned(home, x.bytes()) : Value.made("x", home, x.bytes()));
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
            : make(sum(row.history(), Mix.NOTHING), Value.made("h", home, x.bytes()));
    }

    private Sum next(LinearForm next) {
        Sum sum = new Sum();
        sum.add(x.all(), next.latent());
        addPrediction(sum, next.prediction(), next.clean(), row.known().next());
        for (int back = 0; back < next.past().size(); back++) {
            if (next.past().get(back) != 0) {
                sum.add(remembered.get(step - 1 - back).all(), next.past().get(back));
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
            sum.add(host.given(Program.NOISE, home, ofStep * x.bytes(), x.bytes()).all(), weight);
        }
    }

    private Sum sum(LinearForm form, Mix known) {
        Sum sum = new Sum();
        if (form.latent() != 0) {
            sum.add(x.all(), form.latent());
        }
        addPrediction(sum, form.prediction(), form.clean(), known);
        return sum;
    }

    /** @param known what is added where the picture is known, beside the prediction there */
    private void addPrediction(Sum sum, double prediction, double clean, Mix known) {
        if (prediction != 0 || clean == 0) {
            predictions.of(step).forEach(part -> sum.add(part.access(), prediction * part.weight()));
        }
        if (clean != 0) {
            sum.add(limited().all(), clean);
        }
        Mix added = row.known().prediction();
        addKnown(sum, Program.KNOWN_IMAGE, prediction * added.image() + known.image());
        addKnown(sum, Program.KNOWN_NOISE, prediction * added.noise() + known.noise());
    }

    private void addKnown(Sum sum, String tensor, double weight) {
        if (weight != 0) {
            sum.add(host.given(tensor, home, 0, loop.latents().bytes()).all(), weight);
        }
    }

    /** The limited clean image of this step, made when it is first asked for. */
    private Value limited() {
        if (limited == null) {
            Limit limit = loop.noise().limit().orElseThrow();
            int pictures = Math.toIntExact(loop.latents().shape().dim(0));
            Value clean = make(sum(row.clean(), Mix.NOTHING), Value.made("clean", home, x.bytes()));
            limited = Value.made("limited", home, x.bytes());
            tasks.add(home, step, new Work.Limiting<>(limited.all(), clean.all(), pictures, limit));
        }
        return limited;
    }

    private Value make(Sum sum, Value made) {
        Sum rest = sum;
        while (rest.from.size() > Combination.MAX_TERMS) {
            Value part = Value.made("sum", home, x.bytes());
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
