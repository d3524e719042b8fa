package dev.slipstream.pipelines.run.unroll;

import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.Stage.Branch;
import dev.slipstream.pipelines.run.loop.Rests;
import dev.slipstream.pipelines.run.unroll.LiveRuns.Source;
import dev.slipstream.pipelines.run.unroll.LiveRuns.StageRun;
import dev.slipstream.pipelines.run.unroll.LiveRuns.Term;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.function.IntToDoubleFunction;
import java.util.stream.Stream;

/**
 * How much of what pictures are made of is older than the step that it serves. It says nothing of how much that shows,
 * which is a matter of the model; among plans of one kind the picture gets less like the exact one as it grows.
 *
 * @param share of stale values, weighted by the work that makes them, on average over all steps: of each part of the
 *     network, the share of its readers that take what it made for an earlier step. 0 for exact plans, near 1 where
 *     nearly everything is reused
 * @param age in steps, weighted and averaged likewise
 */
public record Staleness(double share, double age) {
    /**
     * That of a plan; with its window where that is expected, if it is decided while the loop runs.
     *
     * @param steps of the loop
     * @param work of one run of a stage, in any unit
     */
    public static Staleness of(Plan plan, int steps, IntToDoubleFunction work) {
        Count count = new Count(plan.expected(), steps, work);
        for (int step = 0; step < steps; step++) {
            count.add(step);
        }
        return count.all == 0 ? new Staleness(0, 0) : new Staleness(count.stale / count.all, count.ages / count.all);
    }

    /** Whether every value is of the step that it serves. */
    public boolean isNone() {
        return share == 0;
    }

    /** A segment for a guidance branch, on whatever device. */
    private record Part(int segment, Branch branch) {
    }

    /** What the readers of a part take: how many there are, how many of them take old values, and how old all are. */
    private static final class Uses {
        private final double work;
        private double readers;
        private double stale;
        private double ages;

        Uses(double work) {
            this.work = work;
        }
    }

    /** Goes through the steps and adds up. */
    private static final class Count {
        private final Plan plan;
        private final LiveRuns live;
        private final IntToDoubleFunction work;
        private double stale;
        private double ages;
        private double all;

        Count(Plan plan, int steps, IntToDoubleFunction work) {
            this.plan = plan;
            this.live = new LiveRuns(plan, steps, new Reads(plan, steps), Rests.NONE);
            this.work = work;
        }

        void add(int step) {
            Map<Part, Uses> uses = new HashMap<>();
            Map<Part, StageRun> readers = new HashMap<>();
            // Of each part the run that is least old comes first, and that one alone is looked at.
            PriorityQueue<StageRun> open = new PriorityQueue<>(Comparator.comparingInt(StageRun::step).reversed()
                .thenComparingInt(StageRun::stage));
            newest(live.prediction(step).stream().map(Term::run))
                .forEach(run -> use(run, run.step() < step ? 1 : 0, step, uses, open));
            while (!open.isEmpty()) {
                StageRun reader = open.remove();
                if (readers.putIfAbsent(part(reader), reader) == null) {
                    read(reader, step, uses, open);
                }
            }
            uses.values().forEach(part -> {
                all += part.work;
                stale += part.work * part.stale / part.readers;
                ages += part.work * part.ages / part.readers;
            });
        }

        private void read(StageRun reader, int step, Map<Part, Uses> uses, PriorityQueue<StageRun> open) {
            Map<StageRun, int[]> tensors = new HashMap<>();
            for (String tensor : plan.segment(reader.stage()).reads()) {
                List<Source> sources = live.isMade(tensor) ? live.sources(reader, tensor) : List.of();
                newest(sources.stream().map(source -> source.version().run())).forEach(run -> {
                    int[] counts = tensors.computeIfAbsent(run, key -> new int[2]);
                    counts[0]++;
                    counts[1] += run.step() < step ? 1 : 0;
                });
            }
            tensors.forEach((run, counts) -> use(run, (double) counts[1] / counts[0], step, uses, open));
        }

        /** What is continued is made of several values: of each part that made some, the newest counts. */
        private Collection<StageRun> newest(Stream<StageRun> runs) {
            Map<Part, StageRun> newest = new HashMap<>();
            runs.forEach(run ->
                newest.merge(part(run), run, (one, other) -> one.step() >= other.step() ? one : other));
            return newest.values();
        }

        private void use(StageRun run, double old, int step, Map<Part, Uses> uses, PriorityQueue<StageRun> open) {
            Uses part = uses.computeIfAbsent(part(run), key -> new Uses(work.applyAsDouble(run.stage())));
            part.readers++;
            part.stale += old;
            part.ages += old * (step - run.step());
            open.add(run);
        }

        private Part part(StageRun run) {
            return new Part(plan.stages().get(run.stage()).segment(), plan.stages().get(run.stage()).branch());
        }
    }
}
