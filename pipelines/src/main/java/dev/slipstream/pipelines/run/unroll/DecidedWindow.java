package dev.slipstream.pipelines.run.unroll;

import dev.slipstream.bridge.Arithmetic.RelativeChange;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.run.loop.LoopSpec;
import dev.slipstream.pipelines.run.program.Decision.Condition;
import dev.slipstream.pipelines.run.program.Work;
import dev.slipstream.pipelines.run.unroll.LiveRuns.StageRun;
import dev.slipstream.pipelines.run.unroll.LiveRuns.Term;
import dev.slipstream.pipelines.run.unroll.Value.Access;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What surrounds the steps of which it is decided while the loop runs whether they lie in the window. Of both cases
 * there is a body, and either makes the latents. What they leave to the steps behind them is one, whichever ran: values
 * that these read, and predictions that guidance keeps. By the distance of the predictions outside the window it is
 * decided where that begins.
 *
 * <p>What is kept is renewed in place, on the stream that computes at home, as in {@link DecidedRuns}.
 */
final class DecidedWindow {
    private final Plan plan;
    private final LoopSpec loop;
    private final LiveRuns live;
    private final StageRuns stages;
    private final TaskList tasks;
    private final DecidedRuns decided;
    private final Map<Integer, Value> kept = new HashMap<>();

    /** @param tasks where the work goes */
    DecidedWindow(Plan plan, LoopSpec loop, LiveRuns live, StageRuns stages, TaskList tasks, DecidedRuns decided) {
        this.plan = plan;
        this.loop = loop;
        this.live = live;
        this.stages = stages;
        this.tasks = tasks;
        this.decided = decided;
    }

    boolean isOpen(int step) {
        return step < loop.noise().steps() && plan.isOpen(step, loop.noise().steps());
    }

    /** On what condition a step lies in the window, or outside it. */
    Optional<Condition> condition(int step, boolean inside) {
        return decided.window(step, inside);
    }

    /** What the prediction of a step is made of if it does not lie in the window. */
    List<Term> outside(int step) {
        return live.outside(step);
    }

    /** A term of a step's prediction at home: what was predicted then, or last before the window. */
    Access predicted(Term term, int step) {
        return isOpen(step) && term.run().step() < step ? kept.get(term.run().stage()).all()
            : stages.predicted(term, step, Bands.WHOLE);
    }

    /** Adds what comes behind a step, when its latents are made: nothing here is as urgent. */
    void follow(int step) {
        plan.window().ifPresent(rule -> {
            List<Term> predictions = isOpen(step) ? outside(step) : live.prediction(step);
            int first = Math.max(rule.earliest(), step + 1 + rule.slip());
            if (isOpen(first)) {
                measure(step, predictions, first);
            }
            if (isOpen(step + 1)) {
                Set<Integer> read = live.prediction(step + 1).stream().map(Term::run)
                    .filter(run -> run.step() <= step).map(StageRun::stage).collect(Collectors.toSet());
                predictions.stream().filter(term -> read.contains(term.run().stage()))
                    .forEach(term -> keep(term, step));
            }
            stages.handOver(step);
        });
    }

    /** How far the prediction with the text is from the one without. @param first step for which this counts */
    private void measure(int step, List<Term> predictions, int first) {
        Value distance = Value.made("distance", plan.home(), Float.BYTES);
        Value space = Value.made("lanes", plan.home(), RelativeChange.WORK_BYTES);
        tasks.add(plan.home(), step, new Work.Compare<>(distance.all(),
            stages.predicted(predictions.getLast(), step, Bands.WHOLE),
            stages.predicted(predictions.getFirst(), step, Bands.WHOLE), space.all()), condition(step, false));
        tasks.report(plan.home(), step, distance, decided.window(first), condition(step, false));
    }

    private void keep(Term term, int step) {
        Access made = stages.predicted(term, step, Bands.WHOLE);
        Value last = kept.computeIfAbsent(term.run().stage(), key -> Value.pinned(plan.home(), made.bytes()));
        tasks.add(plan.home(), step, new Work.Copy<>(made, last.all()), condition(step, false));
    }
}
