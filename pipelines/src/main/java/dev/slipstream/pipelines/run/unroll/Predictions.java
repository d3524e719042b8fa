package dev.slipstream.pipelines.run.unroll;

import dev.slipstream.bridge.Arithmetic.GuidanceRescale;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.loop.LoopSpec;
import dev.slipstream.pipelines.run.program.Decision.Condition;
import dev.slipstream.pipelines.run.program.Work;
import dev.slipstream.pipelines.run.unroll.LiveRuns.Term;
import dev.slipstream.pipelines.run.unroll.Value.Access;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the noise scheduler takes for a step's prediction: a linear form of what stages predicted or, where guidance is
 * rescaled or differs among parts of the latents, one value that is made of them first; so it is where two bodies may
 * predict ({@link DecidedWindow}). A prediction that serves two steps is made once.
 */
final class Predictions {
    /** A tensor like the latents and its weight. */
    record Part(Access access, double weight) {
    }

    private record Rows(Term term, Access access) {
    }

    private final int home;
    private final LoopSpec loop;
    private final LiveRuns live;
    private final StageRuns stages;
    private final DecidedWindow window;
    private final TaskList tasks;
    private final Map<List<Term>, Value> made = new HashMap<>();

    /** @param tasks where the work goes that makes predictions of others */
    Predictions(int home, LoopSpec loop, LiveRuns live, StageRuns stages, DecidedWindow window, TaskList tasks) {
        this.home = home;
        this.loop = loop;
        this.live = live;
        this.stages = stages;
        this.window = window;
        this.tasks = tasks;
    }

    /**
     * On the plan's home device.
     *
     * @param band its number, or {@link Bands#WHOLE}
     */
    List<Part> of(int step, int band) {
        List<Term> terms = live.prediction(step);
        Guidance guidance = loop.guidance();
        if (band != Bands.WHOLE) {
            return terms.stream().map(term -> new Part(stages.predicted(term, step, band),
                term.weight(guidance.weight()))).toList();
        }
        if (!window.isOpen(step) && isLinear(terms)) {
            return rows(terms, step).stream()
                .map(rows -> new Part(rows.access(), rows.term().weight(guidance.weight()))).toList();
        }
        return List.of(new Part(made.computeIfAbsent(terms, key -> make(terms, step)).all(), 1));
    }

    private boolean isLinear(List<Term> terms) {
        return !loop.guidance().isRescaled() && !loop.guidance().isPartwise() || terms.size() == 1;
    }

    private Value make(List<Term> terms, int step) {
        Value prediction = Value.made("prediction", home, loop.latents().bytes());
        if (window.isOpen(step)) {
            make(prediction, window.outside(step), step, window.condition(step, false));
        }
        make(prediction, terms, step, window.condition(step, true));
        return prediction;
    }

    /** Makes a prediction of what stages predicted, as guidance wants it. */
    private void make(Value prediction, List<Term> terms, int step, Optional<Condition> condition) {
        List<Rows> rows = rows(terms, step);
        if (isLinear(terms) || !loop.guidance().isRescaled()) {
            guide(prediction, rows, step, condition);
            return;
        }
        int pictures = Math.toIntExact(loop.latents().shape().dim(0));
        Value guided = Value.made("guided", home, prediction.bytes());
        Value spread = Value.made("spread", home, GuidanceRescale.workBytes(pictures));
        guide(guided, rows, step, condition);
        // What knows the text comes last.
        tasks.add(home, step, new Work.Rescale<>(prediction.all(), guided.all(), rows.getLast().access(), spread.all(),
            pictures, (float) loop.guidance().rescale()), condition);
    }

    private void guide(Value guided, List<Rows> rows, int step, Optional<Condition> condition) {
        boolean isPartwise = loop.guidance().isPartwise() && rows.size() > 1;
        List<Double> weights = isPartwise ? loop.guidance().parts() : List.of(loop.guidance().weight());
        long pieces = isPartwise ? loop.latents().shape().dim(0) * weights.size() : 1;
        long bytes = guided.bytes() / pieces;
        for (long piece = 0; piece < pieces; piece++) {
            long offset = piece * bytes;
            double weight = weights.get((int) (piece % weights.size()));
            tasks.add(home, step, new Work.Combine<>(guided.part(offset, bytes), rows.stream().map(Rows::access)
                .map(access -> access.value().part(access.offset() + offset, bytes)).toList(),
                rows.stream().map(row -> (float) row.term().weight(weight)).toList()), condition);
        }
    }

    private List<Rows> rows(List<Term> terms, int step) {
        return terms.stream().map(term -> new Rows(term, window.predicted(term, step))).toList();
    }
}
