package dev.slipstream.samples.bench;

import dev.slipstream.pipelines.diffusion.Blueprint;
import dev.slipstream.pipelines.graph.Cut;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.Strategies;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A plan to measure.
 *
 * @param label short and unique
 * @param spec as the command line takes it
 * @param devices as the command line takes them
 */
record BenchPlan(String label, String spec, List<String> devices) {
    private static final String THREAD = "cpu:1";
    private static final int COMPONENTS = 2;

    BenchPlan {
        devices = List.copyOf(devices);
    }

    private static BenchPlan threads(String label, String spec, int count) {
        return new BenchPlan(label, spec, Collections.nCopies(count, THREAD));
    }

    /** One thread, step after step: what all others are compared with. */
    static BenchPlan baseline() {
        return threads("sequential, 1 thread", "sequential", 1);
    }

    /**
     * The baseline and all others that this model and machine can run.
     *
     * @param sequential the baseline's; its model has the cuts. Without one in two components the library chooses
     */
    static List<BenchPlan> all(Blueprint sequential, int cores) {
        List<BenchPlan> plans = new ArrayList<>();
        plans.add(baseline());
        if (cores > 1) {
            plans.add(new BenchPlan("sequential, 2 threads", "sequential", List.of("cpu:2")));
        }
        plans.add(threads("cfg-split", "cfg-split", 2));
        List<Cut> halves = sequential.model().cuts().stream().filter(cut -> cut.size() == COMPONENTS).toList();
        if (halves.isEmpty()) {
            addAsynchronous(plans, "asyncdiff", "", sequential);
        } else {
            halves.forEach(cut -> addAsynchronous(plans, cut.name(), ",cut=" + cut.name(), sequential));
        }
        return List.copyOf(plans);
    }

    private static void addAsynchronous(List<BenchPlan> plans, String name, String cut,
        Blueprint sequential) {
        String spec = "asyncdiff:n=" + COMPONENTS + ",warmup=";
        boolean shell = isShell(Blueprint.draw(sequential.model(), sequential.shape(),
            Strategies.parse(spec + 1 + cut), COMPONENTS).plan());
        for (int warmUp : new int[] {1, 3}) {
            String label = name + " w" + warmUp;
            plans.add(threads(label, spec + warmUp + cut, COMPONENTS));
            plans.add(threads(label + " t1", spec + warmUp + ",tail=1" + cut, COMPONENTS));
            if (shell) {
                plans.add(threads(label + " reference", spec + warmUp + cut + ",staleness=reference", COMPONENTS));
            }
            plans.add(threads(label + " s2 reuse", spec + warmUp + ",stride=2,form=reuse" + cut, COMPONENTS));
            plans.add(threads(label + " s2 paper", spec + warmUp + ",stride=2,form=paper" + cut, COMPONENTS + 1));
        }
    }

    /** Whether a component is not convex, so that how old its inputs are can be chosen. */
    private static boolean isShell(Plan plan) {
        return plan.segments().stream().map(segment -> segment.component()).distinct().count()
            < plan.segments().size();
    }
}
