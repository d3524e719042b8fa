package dev.slipstream.pipelines.run.unroll;

import dev.slipstream.pipelines.plan.Cadence;
import dev.slipstream.pipelines.plan.Edge;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.Stage;
import dev.slipstream.pipelines.plan.Stage.Branch;
import dev.slipstream.pipelines.run.loop.Rests;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Which stages have to run at which steps, worked out backwards from the predictions that the noise scheduler consumes.
 * What is not read is never run, so no strategy has to say which work of a round is in vain.
 */
final class LiveRuns {
    /** A stage running at a step. */
    record StageRun(int stage, int step) {
    }

    /** A tensor that a stage makes at a step: one version. */
    record Version(StageRun run, String tensor) {
    }

    /** Rows of a prediction and their weight; weights of a step add up to 1. */
    record Term(StageRun run, Rows rows, double weight) {
    }

    enum Rows { ALL, FIRST_HALF, SECOND_HALF }

    private final Plan plan;
    private final int steps;
    private final Rests rests;
    private final Map<String, Integer> producers = new HashMap<>();
    private final List<List<Term>> predictions = new ArrayList<>();
    private final Set<StageRun> runs = new HashSet<>();
    private final Map<Version, Set<Integer>> devices = new HashMap<>();

    /** @throws IllegalArgumentException if the component that predicts would rest */
    LiveRuns(Plan plan, int steps, double guidance, Rests rests) {
        this.plan = plan;
        this.steps = steps;
        this.rests = rests;
        for (int segment = 0; segment < plan.segments().size(); segment++) {
            for (String tensor : plan.segments().get(segment).writes()) {
                producers.put(tensor, segment);
            }
        }
        if (plan.segments().stream().filter(segment -> segment.writes().contains(plan.prediction()))
            .anyMatch(segment -> rests.ever(segment.component()))) {
            throw new IllegalArgumentException("the component that makes the prediction cannot rest");
        }
        IntStream.range(0, steps).forEach(step -> predictions.add(prediction(step, guidance)));
        Deque<StageRun> open = new ArrayDeque<>();
        for (List<Term> terms : predictions) {
            for (Term term : terms) {
                read(new Version(term.run(), plan.prediction()), plan.home());
                open.add(term.run());
            }
        }
        while (!open.isEmpty()) {
            StageRun run = open.poll();
            if (runs.add(run)) {
                for (Version source : sources(run)) {
                    read(source, plan.stages().get(run.stage()).device());
                    open.add(source.run());
                }
            }
        }
    }

    private void read(Version version, int device) {
        devices.computeIfAbsent(version, key -> new TreeSet<>()).add(device);
    }

    /** What runs at a step, in the order of the plan's stages. */
    List<StageRun> at(int step) {
        return IntStream.range(0, plan.stages().size()).mapToObj(stage -> new StageRun(stage, step))
            .filter(runs::contains).toList();
    }

    /** What the prediction of a step is made of; what knows the text comes last. */
    List<Term> prediction(int step) {
        return predictions.get(step);
    }

    /** The devices on which a version is read. */
    Set<Integer> readers(Version version) {
        return devices.getOrDefault(version, Set.of());
    }

    /**
     * The versions that a stage reads when it runs at a step, one for each of its inputs that is an edge, but for those
     * that are zeros.
     */
    List<Version> sources(StageRun run) {
        return plan.segment(run.stage()).reads().stream().filter(producers::containsKey)
            .map(tensor -> new Version(source(run, tensor), tensor)).filter(version -> !isAtRest(version.run()))
            .toList();
    }

    /** Whether a stage reads zeros for a tensor, as the component that makes it rests. */
    boolean readsZeros(StageRun run, String tensor) {
        return producers.containsKey(tensor) && isAtRest(source(run, tensor));
    }

    private boolean isAtRest(StageRun run) {
        return rests.at(plan.segment(run.stage()).component(), run.step());
    }

    private StageRun source(StageRun run, String tensor) {
        Cadence cadence = plan.cadence();
        Stage reader = plan.stages().get(run.stage());
        if (cadence.isSynchronous(run.step(), steps)) {
            return new StageRun(plan.primary(producers.get(tensor), reader.branch()), run.step());
        }
        Edge edge = plan.edges().stream().filter(e -> e.to() == run.stage() && e.tensor().equals(tensor)).findFirst()
            .orElseThrow();
        int step = plan.madeAt(edge, run.step(), steps);
        return cadence.isSynchronous(step, steps)
            ? new StageRun(plan.primary(producers.get(tensor), reader.branch()), step)
            : new StageRun(edge.from(), step);
    }

    private List<Term> prediction(int step, double guidance) {
        Cadence cadence = plan.cadence();
        if (cadence.isSynchronous(step, steps)) {
            int segment = producers.get(plan.prediction());
            return Stream.of(Branch.values())
                .filter(branch -> plan.stages().stream()
                    .anyMatch(stage -> stage.segment() == segment && stage.branch() == branch))
                .flatMap(branch -> terms(plan.primary(segment, branch), step, guidance)).toList();
        }
        if (cadence.isRound(step, steps)) {
            return plan.predictors(0).stream().flatMap(stage -> terms(stage, step, guidance)).toList();
        }
        if (cadence.reuse() || cadence.isSynchronous(step - 1, steps)) {
            return predictions.get(step - 1);
        }
        return plan.predictors(1).stream().flatMap(stage -> terms(stage, step - 1, guidance)).toList();
    }

    private Stream<Term> terms(int stage, int step, double guidance) {
        StageRun run = new StageRun(stage, step);
        return switch (plan.stages().get(stage).branch()) {
            case BOTH -> Stream.of(new Term(run, Rows.FIRST_HALF, 1 - guidance),
                new Term(run, Rows.SECOND_HALF, guidance));
            case UNCONDITIONAL -> Stream.of(new Term(run, Rows.ALL, 1 - guidance));
            case CONDITIONAL -> Stream.of(new Term(run, Rows.ALL, isGuided() ? guidance : 1));
        };
    }

    private boolean isGuided() {
        return plan.stages().stream().anyMatch(stage -> stage.branch() != Branch.CONDITIONAL);
    }
}
