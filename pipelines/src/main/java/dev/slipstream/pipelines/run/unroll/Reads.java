package dev.slipstream.pipelines.run.unroll;

import dev.slipstream.pipelines.plan.Cadence;
import dev.slipstream.pipelines.plan.Edge;
import dev.slipstream.pipelines.plan.GuidanceSchedule;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.Stage.Branch;
import dev.slipstream.pipelines.plan.Stage;
import dev.slipstream.pipelines.run.unroll.LiveRuns.Rows;
import dev.slipstream.pipelines.run.unroll.LiveRuns.Source;
import dev.slipstream.pipelines.run.unroll.LiveRuns.StageRun;
import dev.slipstream.pipelines.run.unroll.LiveRuns.Term;
import dev.slipstream.pipelines.run.unroll.LiveRuns.Version;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** What a plan says of values: which versions a stage reads at a step, and of which ones a prediction is made. */
final class Reads {
    private final Plan plan;
    private final int steps;
    private final Map<Integer, Map<String, Edge>> edges = new HashMap<>();
    /** Edges that bring what is extrapolated, by their writers and tensors. */
    private final Map<List<Object>, Edge> extrapolated = new HashMap<>();
    private final List<List<Term>> predictions = new ArrayList<>();
    /** The steps at which the prediction was made, the last one first, and what it is made of. */
    private final List<Predicted> predicted = new ArrayList<>();
    private Kept kept = new Kept(0, List.of(), List.of());

    private record Predicted(int step, List<Term> terms) {
    }

    /**
     * What serves in place of the branch without the text.
     *
     * @param step at which it was predicted
     * @param lows low frequencies of the terms, where they grow by themselves
     */
    private record Kept(int step, List<Term> terms, List<Term> lows) {
    }

    Reads(Plan plan, int steps) {
        this.plan = plan;
        this.steps = steps;
        plan.edges().forEach(edge -> edges.computeIfAbsent(edge.to(), key -> new HashMap<>())
            .put(edge.tensor(), edge));
        plan.edges().stream().filter(edge -> edge.form() instanceof Edge.Form.Extrapolated)
            .forEach(edge -> extrapolated.put(List.of(edge.from(), edge.tensor()), edge));
        for (int step = 0; step < steps; step++) {
            predictions.add(predicted(step));
        }
    }

    /**
     * What the prediction of a step is made of; what knows the text comes last. Of a step at which it is decided
     * whether it lies in the window: if it does.
     */
    List<Term> prediction(int step) {
        return predictions.get(step);
    }

    /** What the prediction of such a step is made of if it does not lie in the window. */
    List<Term> outside(int step) {
        List<Integer> stages = plan.synchronousPredictors();
        return List.of(term(new StageRun(stages.getFirst(), step), Rows.ALL, 1, -1),
            term(new StageRun(stages.getLast(), step), Rows.ALL, 0, 1));
    }

    /** The versions of which a linear combination is what a stage reads, with their weights. */
    List<Source> of(StageRun run, String tensor) {
        Branch branch = plan.stages().get(run.stage()).branch();
        if (isSynchronous(run.step()) || plan.stages().get(run.stage()).phase() == Stage.Phase.SYNCHRONOUS) {
            return List.of(source(new StageRun(plan.writer(tensor, branch), run.step()), tensor, 1));
        }
        Edge edge = edges.get(run.stage()).get(tensor);
        int wanted = run.step() - edge.slip();
        int made = plan.madeAt(edge, run.step(), steps);
        if (made >= wanted) {
            return List.of(source(edge, made, branch, 1));
        }
        return switch (edge.form()) {
            case Edge.Form.Extrapolated extrapolated -> List.of(source(new StageRun(edge.from(), wanted), tensor, 1));
            case Edge.Form.Last last -> List.of(source(edge, made, branch, 1));
            case Edge.Form.Mean mean -> List.of(new Source(new Version(writer(edge, made, branch), tensor),
                Rows.MEAN, 1));
            case Edge.Form.Residual(String base) -> Stream.of(
                entering(edge.from(), wanted, base, false).stream(),
                Stream.of(source(edge, made, branch, 1)),
                entering(writer(edge, made, branch).stage(), made, base, true).stream()
                    .map(source -> source.times(-1)))
                .flatMap(sources -> sources).toList();
            case Edge.Form.Forecast(int order) -> {
                List<Integer> times = times(edge, made, order);
                List<Double> weights = Edge.Form.Forecast.weights(times, wanted);
                List<Source> sources = new ArrayList<>();
                for (int back = weights.size() - 1; back >= 0; back--) {
                    sources.add(source(edge, times.get(back), branch, weights.get(back)));
                }
                yield sources;
            }
        };
    }

    /**
     * The sum of what a version is that no stage makes: the one of the step before, and its change from the one before
     * that. Empty for versions that are made.
     */
    List<Source> continued(Version version) {
        int step = version.run().step();
        Edge edge = extrapolated.get(List.of(version.run().stage(), version.tensor()));
        if (edge == null || !(edge.form() instanceof Edge.Form.Extrapolated(double weight))
            || isMade(edge, step)) {
            return List.of();
        }
        return step == 1 ? List.of(extrapolated(edge, 0, 1))
            : List.of(extrapolated(edge, step - 2, -weight), extrapolated(edge, step - 1, 1 + weight));
    }

    private Source extrapolated(Edge edge, int step, double weight) {
        return isMade(edge, step) ? source(edge, step, plan.stages().get(edge.from()).branch(), weight)
            : source(new StageRun(edge.from(), step), edge.tensor(), weight);
    }

    private boolean isMade(Edge edge, int step) {
        return plan.madeBefore(edge, step + 1, steps) == step;
    }

    /**
     * The value of a tensor that enters a stage, maybe by way of those that it reads, where a part is cut once more.
     *
     * @param ran whether the stage ran at that step; else it is what would have entered it
     */
    private List<Source> entering(int stage, int step, String tensor, boolean ran) {
        Map<String, Edge> read = edges.getOrDefault(stage, Map.of());
        if (isSynchronous(step) || read.containsKey(tensor)) {
            return of(new StageRun(stage, step), tensor);
        }
        return read.values().stream()
            .filter(edge -> plan.stages().get(edge.from()).segment() < plan.stages().get(stage).segment())
            .map(edge -> entering(edge.from(), ran ? plan.madeAt(edge, step, steps)
                : Math.max(0, step - edge.slip()), tensor, ran))
            .filter(sources -> !sources.isEmpty()).findFirst().orElseGet(List::of);
    }

    /** The last steps at which the writer of an edge ran, the latest first; one more than the order, if there are. */
    private List<Integer> times(Edge edge, int latest, int order) {
        List<Integer> times = new ArrayList<>();
        for (int time = latest; time >= 0 && times.size() <= order; time = plan.madeBefore(edge, time, steps)) {
            times.add(time);
        }
        return times;
    }

    private Source source(Edge edge, int step, Branch branch, double weight) {
        return source(writer(edge, step, branch), edge.tensor(), weight);
    }

    private static Source source(StageRun run, String tensor, double weight) {
        return new Source(new Version(run, tensor), Rows.ALL, weight);
    }

    private StageRun writer(Edge edge, int step, Branch branch) {
        return new StageRun(isSynchronous(step) ? plan.writer(edge.tensor(), branch) : edge.from(), step);
    }

    private boolean isSynchronous(int step) {
        return plan.cadence().isSynchronous(step, steps);
    }

    private List<Term> predicted(int step) {
        Cadence cadence = plan.cadence();
        if (isSynchronous(step)) {
            return made(step, step, plan.synchronousPredictors());
        }
        if (cadence.isRound(step, steps)) {
            boolean isMade = plan.predictors(0).stream()
                .allMatch(stage -> plan.stages().get(stage).rounds().includes(step, steps));
            return isMade ? made(step, step, plan.predictors(0)) : guessed(step);
        }
        if (cadence.reuse() || isSynchronous(step - 1)) {
            return predictions.get(step - 1);
        }
        return made(step, step - 1, plan.predictors(1));
    }

    private List<Term> guessed(int step) {
        int order = plan.predicted() instanceof Edge.Form.Forecast(int wanted) ? wanted : 0;
        List<Predicted> last = predicted.subList(0, Math.min(order + 1, predicted.size()));
        List<Double> weights = Edge.Form.Forecast.weights(last.stream().map(Predicted::step).toList(), step);
        List<Term> terms = new ArrayList<>();
        for (int back = last.size() - 1; back >= 0; back--) {
            double weight = weights.get(back);
            last.get(back).terms().forEach(term -> terms.add(term.times(weight)));
        }
        return terms;
    }

    /** Where a step was left out at which both branches were to be predicted, they are at the next one that is not. */
    private GuidanceSchedule.Unconditional guidance(int step) {
        GuidanceSchedule.Unconditional wanted = plan.guidance().at(step, steps);
        int last = predicted.isEmpty() ? -1 : predicted.getFirst().step();
        boolean isMissing = IntStream.range(last + 1, step).anyMatch(between ->
            plan.guidance().at(between, steps) == GuidanceSchedule.Unconditional.PREDICTED);
        return wanted == GuidanceSchedule.Unconditional.KEPT && isMissing ? GuidanceSchedule.Unconditional.PREDICTED
            : wanted;
    }

    /**
     * What is predicted for a step when these stages run, as guidance puts the branches together.
     *
     * @param round the step at which they run
     * @param stages one a branch
     */
    private List<Term> made(int step, int round, List<Integer> stages) {
        int last = stages.getLast();
        StageRun text = new StageRun(last, round);
        List<Term> terms = new ArrayList<>();
        if (!plan.isGuided()) {
            terms.add(term(text, Rows.ALL, 1, 0));
        } else {
            boolean both = plan.stages().get(last).branch() == Branch.BOTH;
            StageRun alone = both && plan.half(last).isPresent()
                ? new StageRun(plan.half(last).getAsInt(), round) : text;
            Rows textRows = both ? Rows.SECOND_HALF : Rows.ALL;
            Rows aloneRows = alone.equals(text) ? textRows : Rows.ALL;
            switch (guidance(step)) {
                case PREDICTED -> {
                    Term other = term(new StageRun(stages.getFirst(), round), both ? Rows.FIRST_HALF : Rows.ALL, 1, -1);
                    List<Term> difference = List.of(other, term(text, textRows, -1, 1));
                    kept = switch (plan.guidance().kept()) {
                        case NONE -> new Kept(step, List.of(), List.of());
                        case UNCONDITIONAL -> new Kept(step, List.of(other), List.of());
                        case DIFFERENCE -> new Kept(step, difference, List.of());
                        case FREQUENCIES -> new Kept(step, difference, difference.stream().map(this::low).toList());
                    };
                    terms.add(other);
                    terms.add(term(text, textRows, 0, 1));
                }
                case KEPT -> {
                    terms.addAll(kept(step));
                    terms.add(plan.guidance().kept() == GuidanceSchedule.Kept.UNCONDITIONAL
                        ? term(alone, aloneRows, 0, 1) : term(alone, aloneRows, 1, 0));
                }
                case NONE -> terms.add(term(alone, aloneRows, 1, 0));
            }
        }
        predicted.addFirst(new Predicted(step, terms));
        return terms;
    }

    private Term term(StageRun run, Rows rows, double constant, double slope) {
        return new Term(new Version(run, plan.prediction()), rows, constant, slope);
    }

    /** The low frequencies of what was predicted. */
    private Term low(Term term) {
        String tensor = GuidanceSchedule.low(plan.prediction());
        return new Term(new Version(new StageRun(plan.beside(term.run().stage(), tensor), term.run().step()), tensor),
            term.rows(), term.constant(), term.slope());
    }

    /** What is kept for a step, of which low frequencies may have grown otherwise than high ones. */
    private List<Term> kept(int step) {
        double low = plan.guidance().low().between(kept.step(), step, steps);
        double high = plan.guidance().high().between(kept.step(), step, steps);
        List<Term> terms = new ArrayList<>(kept.terms().stream().map(term -> term.times(high)).toList());
        if (low != high) {
            kept.lows().forEach(term -> terms.add(term.times(low - high)));
        }
        return terms;
    }
}
