package dev.slipstream.samples.bench;

import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.diffusion.planning.Candidates;
import dev.slipstream.pipelines.diffusion.planning.Candidates.Subject;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.cut.Cut;
import dev.slipstream.pipelines.graph.cut.ShellCut;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.PlanException;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.samples.options.DeviceOptions;
import dev.slipstream.samples.terminal.InputException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A plan to measure.
 *
 * @param label short and unique
 * @param spec as the command line takes it
 * @param devices as the command line takes them
 * @param replayed whether recurring work is captured and launched as graphs, on devices that can
 */
record BenchPlan(String label, String spec, List<String> devices, boolean replayed) {
    private static final String CPU = "cpu";
    /** The device of plans, where none are named. */
    static final String THREAD = "cpu:1";
    private static final int COMPONENTS = 2;
    private static final String PATCHES = "patches:n=" + COMPONENTS;

    BenchPlan {
        devices = List.copyOf(devices);
    }

    /** The baseline and all others that this model can run on threads of this machine. */
    static List<BenchPlan> onThreads(PartitionedDenoiser sequential, int cores) {
        List<BenchPlan> plans = new ArrayList<>();
        plans.add(new BenchPlan("sequential, 1 thread", "sequential", List.of(THREAD), true));
        if (cores > 1) {
            plans.add(new BenchPlan("sequential, 2 threads", "sequential", List.of("cpu:2"), true));
        }
        addOthers(plans, sequential, Collections.nCopies(COMPONENTS + 1, THREAD));
        return List.copyOf(plans);
    }

    /**
     * The baseline and these plans, each on as many devices as it usually takes; auto on all.
     *
     * @param devices to choose from, the first ones first; null for CPU threads
     * @throws InputException if a plan takes more devices than there are, or is given twice
     */
    static List<BenchPlan> compared(List<String> specs, List<String> devices) {
        List<BenchPlan> plans = new ArrayList<>();
        plans.add(new BenchPlan("sequential", "sequential", List.of(devices == null ? THREAD : devices.getFirst()),
            true));
        for (String spec : specs) {
            int count = !spec.equals(DeviceOptions.AUTO) ? Strategy.parse(spec).usualDevices()
                : devices == null ? COMPONENTS : devices.size();
            List<String> all = devices == null ? Collections.nCopies(count, THREAD) : devices;
            if (count > all.size()) {
                throw new InputException(spec + " takes " + count + " devices, and --devices has " + all.size());
            }
            if (plans.stream().anyMatch(plan -> plan.label().equals(spec))) {
                throw new InputException("--compare " + spec + (spec.equals(plans.getFirst().label())
                    ? " is the first row anyway; leave it out" : " is given twice"));
            }
            plans.add(new BenchPlan(spec, spec, all.subList(0, count), true));
        }
        return List.copyOf(plans);
    }

    /**
     * The plans that are chosen among for a model, each on as many of the devices as it takes; those that do not suit
     * the model are left out.
     *
     * @param devices null for CPU threads
     */
    static List<BenchPlan> candidates(PartitionedDenoiser sequential, int steps, List<String> devices) {
        List<String> all = devices == null ? Collections.nCopies(COMPONENTS, THREAD) : devices;
        Subject subject = Subject.of(sequential.denoiser(), sequential.shape().guided(), steps);
        List<BenchPlan> plans = new ArrayList<>();
        Candidates.of(subject, all.size()).stream()
            .filter(it -> plans.stream().noneMatch(plan -> plan.spec.equals(it.spec())))
            .filter(it -> suits(sequential, it.spec(), it.devices()))
            .forEach(it -> add(plans, it.spec(), it.spec(), it.devices(), all));
        return List.copyOf(plans);
    }

    /**
     * The baseline and all others that this model can run on these devices; those for more devices are left out. Where
     * devices replay, the main ones come once more with every step queued anew.
     */
    static List<BenchPlan> on(List<String> devices, PartitionedDenoiser sequential) {
        List<BenchPlan> plans = new ArrayList<>();
        plans.add(new BenchPlan("sequential", "sequential", devices.subList(0, 1), true));
        addOthers(plans, sequential, devices);
        if (devices.stream().anyMatch(device -> !isCpu(device))) {
            List<BenchPlan> direct = plans.stream().filter(plan -> plan.label().matches("sequential|cfg-split|.* w1"))
                .map(BenchPlan::direct).toList();
            plans.addAll(direct);
        }
        return List.copyOf(plans);
    }

    private BenchPlan direct() {
        return new BenchPlan(label + ", direct", spec, devices, false);
    }

    private static boolean isCpu(String device) {
        return DeviceSpec.parse(device).provider().equals(CPU);
    }

    /** Whether ONNX Runtime runs its segments. */
    boolean isOnCpus() {
        return devices.stream().allMatch(BenchPlan::isCpu);
    }

    /**
     * @param sequential the baseline's; its model has the cuts. Without one in two components the library chooses
     */
    private static void addOthers(List<BenchPlan> plans, PartitionedDenoiser sequential, List<String> devices) {
        if (ShellCut.isPossible(sequential.denoiser().graph())) {
            for (int every : new int[] {2, 3, 5}) {
                add(plans, "cache e" + every, "cache:every=" + every, 1, devices);
            }
            add(plans, "cache e3 d0", "cache:every=3,depth=0,warmup=5", 1, devices);
            String all = "cache:every=4,part=all,form=forecast,warmup=5";
            add(plans, "cache all e4", all, 1, devices);
            if (sequential.shape().guided()) {
                add(plans, "cache all e4, guidance e8", all + "+guidance:every=8,warmup=8", 1, devices);
                add(plans, "cfg-split, cache all e4", "cfg-split+" + all, 2, devices);
            }
        }
        add(plans, "cfg-split", "cfg-split", 2, devices);
        List<Cut> halves = sequential.denoiser().cuts().stream().filter(cut -> cut.size() == COMPONENTS).toList();
        if (devices.size() < COMPONENTS) {
            return;
        }
        if (suits(sequential, PATCHES, COMPONENTS)) {
            for (int warmUp : new int[] {3, 5}) {
                add(plans, "patches w" + warmUp, PATCHES + ",warmup=" + warmUp, COMPONENTS, devices);
            }
        }
        if (halves.isEmpty()) {
            addAsynchronous(plans, "asyncdiff", "", sequential, devices);
        } else {
            halves.forEach(cut -> addAsynchronous(plans, cut.name(), ",cut=" + cut.name(), sequential, devices));
        }
    }

    /** Whether the model can be cut and placed so: patches need operators and sizes that can be divided. */
    private static boolean suits(PartitionedDenoiser sequential, String spec, int count) {
        try {
            PartitionedDenoiser.of(sequential.denoiser(), sequential.shape(), Strategy.parse(spec), count);
            return true;
        } catch (GraphException | PlanException refused) {
            return false;
        }
    }

    private static void addAsynchronous(List<BenchPlan> plans, String name, String cut, PartitionedDenoiser sequential,
        List<String> devices) {
        String spec = "asyncdiff:n=" + COMPONENTS + ",warmup=";
        boolean shell = isShell(PartitionedDenoiser.of(sequential.denoiser(), sequential.shape(),
            Strategy.parse(spec + 1 + cut), COMPONENTS).plan());
        for (int warmUp : new int[] {1, 3}) {
            String label = name + " w" + warmUp;
            add(plans, label, spec + warmUp + cut, COMPONENTS, devices);
            add(plans, label + " t1", spec + warmUp + ",tail=1" + cut, COMPONENTS, devices);
            if (shell) {
                add(plans, label + " reference", spec + warmUp + cut + ",staleness=reference", COMPONENTS, devices);
            }
            add(plans, label + " s2 reuse", spec + warmUp + ",stride=2,form=reuse" + cut, COMPONENTS, devices);
            add(plans, label + " s2 paper", spec + warmUp + ",stride=2,form=paper" + cut, COMPONENTS + 1, devices);
        }
    }

    private static void add(List<BenchPlan> plans, String label, String spec, int count, List<String> devices) {
        if (count <= devices.size()) {
            plans.add(new BenchPlan(label, spec, devices.subList(0, count), true));
        }
    }

    /** Whether a component is not convex, so that how old its inputs are can be chosen. */
    private static boolean isShell(Plan plan) {
        return plan.segments().stream().map(segment -> segment.component()).distinct().count()
            < plan.segments().size();
    }
}
