package dev.slipstream.pipelines.diffusion.planning;

import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.graph.cut.Cut;
import dev.slipstream.pipelines.graph.cut.ShellCut;
import dev.slipstream.pipelines.plan.Cadence;
import dev.slipstream.pipelines.plan.Strategy;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The plans that are worth a look: every method with the settings that are usual, alone and put together. */
public final class Candidates {
    /** Of an asynchronous window: as published, and so many that no composition changed on the sample model. */
    private static final int[] WARM_UPS = {1, 3, 9};
    private static final int[] USUAL_WARM_UP = {3};

    /**
     * A plan on so many devices.
     *
     * @param spec as {@link Strategy#parse} reads it
     */
    public record Candidate(String spec, int devices) {
        public Strategy strategy() {
            return Strategy.parse(spec);
        }
    }

    /**
     * What is to be known of a denoiser and a request.
     *
     * @param convolves whether it is a U-Net, not a transformer
     * @param cut into how many parts somebody has said how to cut it
     */
    public record Subject(boolean convolves, Set<Integer> cut, boolean guided, int steps) {
        public static Subject of(DenoiserGraph denoiser, boolean guided, int steps) {
            return new Subject(ShellCut.isPossible(denoiser.graph()),
                denoiser.cuts().stream().map(Cut::size).collect(Collectors.toSet()), guided, steps);
        }
    }

    private final Subject subject;
    private final int most;
    private final List<Integer> counts;
    private final int[] warmUps;
    private final Set<Candidate> all = new LinkedHashSet<>();

    /** @param counts of parts or patches. @param warmUps of asynchronous windows */
    private Candidates(Subject subject, int most, List<Integer> counts, int[] warmUps) {
        this.subject = subject;
        this.most = most;
        this.counts = counts;
        this.warmUps = warmUps;
    }

    /**
     * The first runs on one device.
     *
     * @param devices how many there are; plans for fewer are among them
     */
    public static List<Candidate> of(Subject subject, int devices) {
        return new Candidates(subject, devices, counts(devices), WARM_UPS).list();
    }

    /**
     * Fewer, for a choice that nobody looks at: parts on all devices or on half of them, the warm-up that was found
     * good on the sample model, no plan that warns of so few steps, and none that decides in the loop, whose time is a
     * guess.
     *
     * @param devices how many there are
     */
    public static List<Candidate> usual(Subject subject, int devices) {
        List<Integer> counts = Stream.of(devices, devices / 2).filter(count -> count > 1).toList();
        return new Candidates(subject, devices, counts, USUAL_WARM_UP).list().stream()
            .filter(it -> it.strategy().warnings(subject.steps).isEmpty() && !it.strategy().decides()).toList();
    }

    private List<Candidate> list() {
        add("sequential", 1);
        caches("", 1);
        counts.forEach(count -> spread("", count, count));
        if (subject.guided) {
            add("cfg-split", 2);
            add("hybridiff", 2);
            caches("cfg-split+", 2);
            counts.forEach(count -> spread("cfg-split+", count, 2 * count));
        }
        return List.copyOf(all);
    }

    /** Numbers of parts: all up to four, and then doubles, and as many as there are devices. */
    private static List<Integer> counts(int most) {
        Set<Integer> counts = new LinkedHashSet<>();
        for (int count = 2; count <= most; count += count < 4 ? 1 : count) {
            counts.add(count);
        }
        if (most > 1) {
            counts.add(most);
            counts.add(Math.max(2, most / 2));
        }
        return List.copyOf(counts);
    }

    private void caches(String with, int devices) {
        for (int every : new int[] {2, 3}) {
            add(with + "cache:every=" + every, devices);
        }
        if (subject.convolves) {
            add(with + "cache:every=3,depth=0,warmup=5", devices);
            add(with + "cache:every=4,depth=0,warmup=5", devices);
        }
        add(with + "cache:every=4,part=all,form=forecast,warmup=5", devices);
        add(with + "cache:decide=first-block,threshold=0.1", devices);
        if (subject.guided && with.isEmpty()) {
            add("guidance:every=4,warmup=5", devices);
            add("cache+guidance:every=4,warmup=5", devices);
        }
    }

    /** Plans that take any number of devices. @param count of parts or patches */
    private void spread(String with, int count, int devices) {
        if (with.isEmpty()) {
            add("sequential", count);
        }
        for (int warmUp : warmUps) {
            add(with + "asyncdiff:n=" + count + ",warmup=" + warmUp, devices);
        }
        if (with.isEmpty()) {
            add("asyncdiff:n=" + count + ",warmup=3,stride=2", devices);
        }
        if (subject.convolves) {
            if (!subject.cut.contains(count)) {
                add(with + "asyncdiff:n=" + count + ",warmup=3,cut=fastest", devices);
            }
            add(with + "patches:n=" + count, devices);
        } else {
            for (int patches : new int[] {count, 2 * count}) {
                add(with + "pipefusion:parts=" + count + ",patches=" + patches, devices);
            }
        }
    }

    private void add(String spec, int devices) {
        Cadence cadence = Strategy.parse(spec).cadence();
        boolean hasRoom = cadence.equals(Cadence.SYNCHRONOUS) || cadence.warmUp() + cadence.tail() < subject.steps;
        if (devices <= most && hasRoom) {
            all.add(new Candidate(spec, devices));
        }
    }
}
