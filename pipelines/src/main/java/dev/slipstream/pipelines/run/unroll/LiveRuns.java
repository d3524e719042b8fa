package dev.slipstream.pipelines.run.unroll;

import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.Stage;
import dev.slipstream.pipelines.run.loop.Rests;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Which stages have to run at which steps, worked out backwards from the predictions that the noise scheduler consumes.
 * What is not read is never run, so no strategy has to say which work of a round is in vain. Nor are rows: a stage runs
 * for the conditional ones alone where nothing reads the others.
 */
final class LiveRuns {
    /** A stage running at a step. */
    record StageRun(int stage, int step) {
    }

    /** A tensor that a stage makes at a step: one version. */
    record Version(StageRun run, String tensor) {
    }

    /** {@code MEAN} is that of the two halves where there are two, else all. */
    enum Rows { ALL, FIRST_HALF, SECOND_HALF, MEAN }

    /** Rows of a version, and their weight in what is read. */
    record Source(Version version, Rows rows, double weight) {
        Source times(double factor) {
            return new Source(version, rows, factor * weight);
        }
    }

    /**
     * Rows of a prediction and their weight, which may grow with that of guidance; all weights of a step add up to 1.
     *
     * @param constant the weight without guidance
     * @param slope what is added for each unit of it
     */
    record Term(Version version, Rows rows, double constant, double slope) {
        StageRun run() {
            return version.run();
        }

        double weight(double guidance) {
            return constant + slope * guidance;
        }

        Term times(double factor) {
            return new Term(version, rows, factor * constant, factor * slope);
        }
    }

    private final Plan plan;
    private final int steps;
    private final Rests rests;
    private final Reads reads;
    private final Set<String> made;
    /** Steps of which it is decided while the loop runs whether they lie in the window. */
    private final BitSet undecided = new BitSet();
    private final Set<StageRun> runs = new HashSet<>();
    /** Runs for conditional rows that are not needed, as there is one for all rows. */
    private final Set<StageRun> covered = new HashSet<>();
    private final Map<Version, Set<Integer>> devices = new HashMap<>();
    private final Map<Version, Set<Integer>> handedOver = new LinkedHashMap<>();

    /** @throws IllegalArgumentException if the component that predicts would rest */
    LiveRuns(Plan plan, int steps, Reads reads, Rests rests) {
        this.plan = plan;
        this.steps = steps;
        this.rests = rests;
        this.reads = reads;
        this.made = plan.segments().stream().flatMap(segment -> segment.writes().stream()).collect(Collectors.toSet());
        if (plan.segments().stream().filter(segment -> segment.writes().contains(plan.prediction()))
            .anyMatch(segment -> rests.ever(segment.component()))) {
            throw new IllegalArgumentException("the component that makes the prediction cannot rest");
        }
        IntStream.range(0, steps).filter(step -> plan.isOpen(step, steps)).forEach(undecided::set);
        findRuns();
        IntStream.range(0, steps).mapToObj(this::at).flatMap(List::stream).forEach(run -> plan.segment(run.stage())
            .reads().stream().filter(made::contains).flatMap(tensor -> sources(run, tensor).stream())
            .forEach(source -> read(source.version(), plan.stages().get(run.stage()).device(), run.step())));
        IntStream.range(0, steps).forEach(step -> predictions(step)
            .forEach(term -> read(term.version(), plan.home(), step)));
    }

    private void read(Version version, int device, int step) {
        if (isHandedOver(version, step)) {
            handedOver.computeIfAbsent(version, key -> new TreeSet<>()).add(device);
        } else {
            read(version, device);
        }
    }

    /** Of a step at which it is decided whether it lies in the window: of both cases. */
    private List<Term> predictions(int step) {
        List<Term> all = new ArrayList<>(prediction(step));
        if (undecided.get(step)) {
            all.addAll(outside(step));
        }
        return all;
    }

    /** From the last to the first: what reads a version comes behind what makes it. */
    private void findRuns() {
        TreeSet<StageRun> todo = new TreeSet<>(Comparator.comparingInt(StageRun::step)
            .thenComparingInt(StageRun::stage).reversed());
        IntStream.range(0, steps).forEach(step -> predictions(step).forEach(term -> todo.add(term.run())));
        Set<Version> seen = new HashSet<>();
        while (!todo.isEmpty()) {
            StageRun run = todo.pollFirst();
            Optional<StageRun> whole = whole(run);
            if (whole.isPresent() && todo.contains(whole.get())) {
                covered.add(run);
                continue;
            }
            runs.add(run);
            plan.segment(run.stage()).reads().stream().filter(made::contains)
                .flatMap(tensor -> sources(run, tensor).stream())
                .forEach(source -> open(source.version(), todo, seen));
        }
    }

    /** Adds what makes a version, or what makes those of which it is continued. @param seen those that were */
    private void open(Version version, Set<StageRun> todo, Set<Version> seen) {
        List<Source> parts = continued(version);
        if (parts.isEmpty()) {
            todo.add(version.run());
        } else if (seen.add(version)) {
            parts.forEach(part -> open(part.version(), todo, seen));
        }
    }

    private Optional<StageRun> whole(StageRun run) {
        OptionalInt whole = plan.whole(run.stage());
        return whole.isPresent() ? Optional.of(new StageRun(whole.getAsInt(), run.step())) : Optional.empty();
    }

    private void read(Version version, int device) {
        if (devices.computeIfAbsent(version, key -> new TreeSet<>()).add(device)) {
            continued(version).forEach(part -> read(part.version(), device));
        }
    }

    /**
     * What runs at a step, in the order of the plan's stages. Where it is decided whether the step lies in the window,
     * what runs there comes behind what runs elsewhere: waits are there whatever is decided, and in this order none
     * holds up the other case.
     */
    List<StageRun> at(int step) {
        return IntStream.range(0, plan.stages().size()).boxed()
            .sorted(Comparator.comparing(stage -> undecided.get(step)
                && plan.stages().get(stage).phase() == Stage.Phase.WINDOW))
            .map(stage -> new StageRun(stage, step)).filter(runs::contains).toList();
    }

    /**
     * What the prediction of a step is made of; what knows the text comes last. Of a step at which it is decided
     * whether it lies in the window: if it does.
     */
    List<Term> prediction(int step) {
        return reads.prediction(step).stream().map(term -> covered.contains(term.run())
            ? new Term(new Version(whole(term.run()).orElseThrow(), term.version().tensor()), Rows.SECOND_HALF,
                term.constant(), term.slope()) : term)
            .toList();
    }

    /** What the prediction of such a step is made of if it does not lie in the window. */
    List<Term> outside(int step) {
        return reads.outside(step);
    }

    /**
     * Versions of a step, as the window makes them, that a later step reads, and the devices on which it does; of a
     * step at which it is decided whether it lies in the window. If it does not, they stand for what was made outside.
     */
    Map<Version, Set<Integer>> handedOver(int step) {
        Map<Version, Set<Integer>> here = new LinkedHashMap<>(handedOver);
        here.keySet().removeIf(version -> version.run().step() != step);
        return here;
    }

    /** Whether a version is one of these. @param step at which it is read */
    boolean isHandedOver(Version version, int step) {
        return version.run().step() < step && undecided.get(version.run().step());
    }

    /** The devices on which a version is read, for those that are handed over: at its own step. */
    Set<Integer> readers(Version version) {
        return devices.getOrDefault(version, Set.of());
    }

    /** Whether some stage makes a tensor; else it is an input of the whole graph. */
    boolean isMade(String tensor) {
        return made.contains(tensor);
    }

    /**
     * What a stage reads for a tensor when it runs at a step: the sum of these. Empty where it reads zeros, as the
     * component that makes the tensor rests.
     */
    List<Source> sources(StageRun run, String tensor) {
        return resolved(reads.of(run, tensor));
    }

    /** The sum of what a version is that no stage makes, as it is continued; empty for one that a stage makes. */
    List<Source> continued(Version version) {
        return resolved(reads.continued(version));
    }

    private List<Source> resolved(List<Source> sources) {
        List<Source> there = new ArrayList<>(sources.size());
        for (Source source : sources) {
            if (!isAtRest(source.version().run())) {
                resolve(source, there);
            }
        }
        return there;
    }

    /** As values that are there: those that a run for all rows makes for one that is not needed. */
    private void resolve(Source source, List<Source> there) {
        StageRun maker = source.version().run();
        if (!covered.contains(maker)) {
            there.add(new Source(source.version(), Rows.ALL, source.weight()));
            return;
        }
        Version version = new Version(whole(maker).orElseThrow(), source.version().tensor());
        if (source.rows() == Rows.MEAN) {
            there.add(new Source(version, Rows.FIRST_HALF, source.weight() / 2));
            there.add(new Source(version, Rows.SECOND_HALF, source.weight() / 2));
        } else {
            there.add(new Source(version, Rows.SECOND_HALF, source.weight()));
        }
    }

    private boolean isAtRest(StageRun run) {
        return rests.at(plan.segment(run.stage()).component(), run.step());
    }
}
