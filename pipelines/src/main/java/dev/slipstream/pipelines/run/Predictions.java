package dev.slipstream.pipelines.run;

import dev.slipstream.bridge.GuidanceRescale;
import dev.slipstream.pipelines.plan.Branch;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.run.Demand.Rows;
import dev.slipstream.pipelines.run.Demand.Term;
import dev.slipstream.pipelines.run.Value.Access;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * What the noise scheduler takes for a step's prediction: a linear form of what stages predicted or, where guidance is
 * rescaled, one value that is made of them first. A prediction that serves two steps is rescaled once.
 */
final class Predictions {
    /** A tensor like the latents and its weight. */
    record Part(Access access, double weight) {
    }

    private final Plan plan;
    private final LoopSpec loop;
    private final Demand demand;
    private final List<Work> works;
    private final Map<List<Term>, Value> rescaled = new HashMap<>();

    /** @param works where the work goes that rescales */
    Predictions(Plan plan, LoopSpec loop, Demand demand, List<Work> works) {
        this.plan = plan;
        this.loop = loop;
        this.demand = demand;
        this.works = works;
    }

    /** @param atHome finds what a stage predicted on the plan's home device, copied there if need be */
    List<Part> of(int step, Function<Term, Value> atHome) {
        List<Term> terms = demand.prediction(step);
        if (!loop.guidance().isRescaled() || terms.size() == 1) {
            return terms.stream().map(term -> part(term, atHome)).toList();
        }
        Value value = rescaled.get(terms);
        if (value == null) {
            value = rescale(step, terms, atHome);
            rescaled.put(terms, value);
        }
        return List.of(new Part(value.all(), 1));
    }

    private Value rescale(int step, List<Term> terms, Function<Term, Value> atHome) {
        List<Part> parts = terms.stream().map(term -> part(term, atHome)).toList();
        Access text = part(terms.stream().filter(this::knowsText).findFirst().orElseThrow(), atHome).access();
        int pictures = Math.toIntExact(loop.latents().shape().dim(0));
        Value guided = Value.made("guided", step, plan.home(), loop.latents().bytes());
        Value spread = Value.made("spread", step, plan.home(), GuidanceRescale.workBytes(pictures));
        Value made = Value.made("rescaled", step, plan.home(), loop.latents().bytes());
        works.add(new Work.Combine(plan.home(), step, guided.all(), parts.stream().map(Part::access).toList(),
            parts.stream().map(part -> (float) part.weight()).toList()));
        works.add(new Work.Rescale(plan.home(), step, made.all(), guided.all(), text, spread.all(), pictures,
            (float) loop.guidance().rescale()));
        return made;
    }

    private boolean knowsText(Term term) {
        return term.rows() == Rows.SECOND_HALF
            || plan.stages().get(term.run().stage()).branch() == Branch.CONDITIONAL;
    }

    private static Part part(Term term, Function<Term, Value> atHome) {
        Value value = atHome.apply(term);
        long half = value.bytes() / 2;
        Access rows = switch (term.rows()) {
            case ALL -> value.all();
            case FIRST_HALF -> value.part(0, half);
            case SECOND_HALF -> value.part(half, half);
        };
        return new Part(rows, term.weight());
    }
}
