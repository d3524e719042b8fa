package dev.slipstream.pipelines.run.unroll;

import dev.slipstream.bridge.Arithmetic.GuidanceRescale;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.loop.LoopSpec;
import dev.slipstream.pipelines.run.program.Work;
import dev.slipstream.pipelines.run.unroll.LiveRuns.Term;
import dev.slipstream.pipelines.run.unroll.Value.Access;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What the noise scheduler takes for a step's prediction: a linear form of what stages predicted or, where guidance is
 * rescaled or differs among parts of the latents, one value that is made of them first. A prediction that serves two
 * steps is made once.
 */
final class Predictions {
    /** A tensor like the latents and its weight. */
    record Part(Access access, double weight) {
    }

    private record Rows(Term term, Access access) {
    }

    private final LoopSpec loop;
    private final LiveRuns live;
    private final StageRuns stages;
    private final TaskList tasks;
    private final Map<List<Term>, Value> made = new HashMap<>();

    /** @param tasks where the work goes that rescales */
    Predictions(LoopSpec loop, LiveRuns live, StageRuns stages, TaskList tasks) {
        this.loop = loop;
        this.live = live;
        this.stages = stages;
        this.tasks = tasks;
    }

    /**
     * On the plan's home device.
     *
     * @param band its number, or {@link Bands#WHOLE}
     */
    List<Part> of(int step, int band) {
        List<Term> terms = live.prediction(step);
        if (band != Bands.WHOLE) {
            return terms.stream().map(term -> new Part(stages.predicted(term, step, band),
                term.weight(loop.guidance().weight()))).toList();
        }
        Guidance guidance = loop.guidance();
        if (!guidance.isRescaled() && !guidance.isPartwise() || terms.size() == 1) {
            return rows(terms, step).stream()
                .map(rows -> new Part(rows.access(), rows.term().weight(guidance.weight()))).toList();
        }
        Value value = made.get(terms);
        if (value == null) {
            List<Rows> rows = rows(terms, step);
            value = guided(rows, step);
            value = guidance.isRescaled() ? rescaled(value, rows.getLast().access(), step) : value;
            made.put(terms, value);
        }
        return List.of(new Part(value.all(), 1));
    }

    private Value guided(List<Rows> rows, int step) {
        int home = rows.getLast().access().value().device();
        Value guided = Value.made("guided", home, loop.latents().bytes());
        List<Double> weights = loop.guidance().isPartwise() ? loop.guidance().parts()
            : List.of(loop.guidance().weight());
        long pieces = loop.guidance().isPartwise() ? loop.latents().shape().dim(0) * weights.size() : 1;
        long bytes = guided.bytes() / pieces;
        for (long piece = 0; piece < pieces; piece++) {
            long offset = piece * bytes;
            double weight = weights.get((int) (piece % weights.size()));
            tasks.add(home, step, new Work.Combine<>(guided.part(offset, bytes), rows.stream().map(Rows::access)
                .map(access -> access.value().part(access.offset() + offset, bytes)).toList(),
                rows.stream().map(row -> (float) row.term().weight(weight)).toList()));
        }
        return guided;
    }

    /** @param text what was predicted with the text */
    private Value rescaled(Value guided, Access text, int step) {
        int home = guided.device();
        int pictures = Math.toIntExact(loop.latents().shape().dim(0));
        Value spread = Value.made("spread", home, GuidanceRescale.workBytes(pictures));
        Value rescaled = Value.made("rescaled", home, loop.latents().bytes());
        tasks.add(home, step, new Work.Rescale<>(rescaled.all(), guided.all(), text, spread.all(), pictures,
            (float) loop.guidance().rescale()));
        return rescaled;
    }

    private List<Rows> rows(List<Term> terms, int step) {
        return terms.stream()
            .map(term -> new Rows(term, stages.predicted(term, step, Bands.WHOLE))).toList();
    }
}
