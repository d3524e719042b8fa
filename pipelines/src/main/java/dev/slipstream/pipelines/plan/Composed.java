package dev.slipstream.pipelines.plan;

import dev.slipstream.pipelines.plan.Stage.Branch;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Several strategies at once. Each speaks of the whole denoiser; where two speak of one thing, devices multiply, cuts
 * cross each other, rounds intersect, and slips and warm-ups take the larger.
 */
record Composed(List<Strategy> parts) implements Strategy {
    Composed {
        parts = List.copyOf(parts);
        Set<Object> kinds = new HashSet<>();
        for (Strategy part : parts) {
            if (part instanceof Sequential) {
                throw new PlanException("sequential says nothing that another plan does not say; leave it out of "
                    + spec(parts));
            }
            if (!kinds.add(part instanceof Cache cache ? cache.part() : part.getClass())) {
                throw new PlanException(spec(parts) + " has two plans of one kind");
            }
        }
        requireNoRefusal(parts);
        List<Strategy> scaling = parts.stream().filter(Strategy::scales).toList();
        if (scaling.size() > 1) {
            throw new PlanException(spec(scaling) + ": both spread the denoiser over devices in a way of their own; "
                + "take one of them");
        }
    }

    private static void requireNoRefusal(List<Strategy> all) {
        for (Strategy one : all) {
            for (Strategy other : all) {
                Optional<String> refusal = other == one ? Optional.empty() : one.refusal(other);
                if (refusal.isPresent()) {
                    throw new PlanException(spec(all) + ": " + refusal.get() + "; leave out " + other.spec());
                }
            }
        }
    }

    /** On how many of the devices a part spreads what it says. */
    private int devices(Strategy part, int devices) {
        if (!part.scales()) {
            return part.usualDevices();
        }
        int others = parts.stream().filter(other -> !other.scales()).mapToInt(Strategy::usualDevices)
            .reduce(1, Math::multiplyExact);
        if (devices % others != 0) {
            throw new PlanException(spec() + " runs on a multiple of " + others + " devices, not on " + devices);
        }
        return devices / others;
    }

    @Override
    public Cutting cutting(int devices) {
        return parts.stream().map(part -> part.cutting(devices(part, devices)))
            .reduce(Cutting.WHOLE, Cutting::crossedBy);
    }

    @Override
    public Cadence cadence() {
        return parts.stream().map(Strategy::cadence).reduce(Cadence.SYNCHRONOUS, Cadence::and);
    }

    @Override
    public List<String> warnings(int steps) {
        List<String> all = new ArrayList<>(Strategy.super.warnings(steps));
        boolean rests = parts.stream().anyMatch(part -> part instanceof GuidanceSchedule schedule
            && schedule.restsBetween(steps));
        if (rests && parts.stream().anyMatch(part -> part instanceof Patches || part instanceof PipeFusion)) {
            all.add("plan " + spec() + " computes both branches at each step until guidance stops, as patches read "
                + "what each of them made a step before; of guidance, only stop saves time here");
        }
        return all;
    }

    @Override
    public int usualDevices() {
        return parts.stream().mapToInt(Strategy::usualDevices).reduce(1, Math::multiplyExact);
    }

    @Override
    public boolean scales() {
        return parts.stream().anyMatch(Strategy::scales);
    }

    @Override
    public boolean decides() {
        return parts.stream().anyMatch(Strategy::decides);
    }

    @Override
    public Strategy counted(int every) {
        return new Composed(parts.stream().map(part -> part.counted(every)).toList());
    }

    @Override
    public boolean splitsGuidance() {
        return parts.stream().anyMatch(Strategy::splitsGuidance);
    }

    @Override
    public Strategy calibrated(Function<Cache, Rounds> known) {
        return new Composed(parts.stream().map(part -> part.calibrated(known)).toList());
    }

    @Override
    public boolean partsFrequencies() {
        return parts.stream().anyMatch(Strategy::partsFrequencies);
    }

    @Override
    public void check(int devices, boolean guided) {
        parts.forEach(part -> part.check(devices(part, devices), guided));
        int used = parts.stream().mapToInt(part -> devices(part, devices)).reduce(1, Math::multiplyExact);
        if (used != devices) {
            throw new PlanException(spec() + " runs on " + (used == 1 ? "1 device" : used + " devices") + ", not on "
                + devices);
        }
    }

    @Override
    public Plan plan(List<SegmentOutline> segments, String prediction, int devices, boolean guided) {
        check(devices, guided);
        Plan all = null;
        int inner = cutting(devices).components();
        for (Strategy part : parts) {
            int here = devices(part, devices);
            int own = part.cutting(here).components();
            inner /= own;
            List<SegmentOutline> seen = asSeen(segments, inner, own);
            Optional<GuidanceSchedule> guidance = guidance();
            Plan next = part instanceof Cache cache && guidance.isPresent()
                ? cache.plan(seen, prediction, here, guided, guidance.get())
                : part.plan(seen, prediction, here, guided);
            all = all == null ? next : new Product(all, next).plan(segments);
        }
        return all == null ? new Sequential().plan(segments, prediction, devices, guided) : all;
    }

    private Optional<GuidanceSchedule> guidance() {
        return parts.stream().filter(GuidanceSchedule.class::isInstance).map(GuidanceSchedule.class::cast).findFirst();
    }

    /**
     * The segments as a part sees them, which made one of the crossing cuts.
     *
     * @param inner how many components cuts of later parts make of each of its own
     */
    private static List<SegmentOutline> asSeen(List<SegmentOutline> segments, int inner, int own) {
        return segments.stream().map(segment -> segment.component() < 0 ? segment
            : segment.of(segment.component() / inner % own)).toList();
    }

    @Override
    public String spec() {
        return spec(parts);
    }

    private static String spec(List<Strategy> parts) {
        return parts.stream().map(Strategy::spec).collect(Collectors.joining("+"));
    }

    /** Two plans for the same segments as one. */
    private record Product(Plan first, Plan second) {
        private record Pair(int first, int second) {
        }

        Plan plan(List<SegmentOutline> segments) {
            Map<Pair, Integer> places = new LinkedHashMap<>();
            List<Stage> stages = stages(places);
            return new Plan(first.strategy() + "+" + second.strategy(), first.devices() * second.devices(), segments,
                stages, edges(places), first.cadence().and(second.cadence()), first.prediction(),
                form(first.predicted(), second.predicted()), first.guidance().equals(GuidanceSchedule.ALWAYS)
                    ? second.guidance() : first.guidance());
        }

        /** @param places gets the index of the stage that each pair becomes */
        private List<Stage> stages(Map<Pair, Integer> places) {
            List<Stage> stages = new ArrayList<>();
            for (int one = 0; one < first.stages().size(); one++) {
                for (int other = 0; other < second.stages().size(); other++) {
                    Optional<Stage> both = stage(first.stages().get(one), second.stages().get(other));
                    if (both.isPresent()) {
                        if (!stages.contains(both.get())) {
                            stages.add(both.get());
                        }
                        places.put(new Pair(one, other), stages.indexOf(both.get()));
                    }
                }
            }
            return stages;
        }

        private Optional<Stage> stage(Stage one, Stage other) {
            if (one.segment() != other.segment() || one.branch() != Branch.BOTH && other.branch() != Branch.BOTH
                && one.branch() != other.branch()) {
                return Optional.empty();
            }
            return one.phase().and(other.phase()).map(phase -> new Stage(one.segment(),
                one.device() * second.devices() + other.device(),
                one.branch() == Branch.BOTH ? other.branch() : one.branch(), one.lead() + other.lead(),
                one.rounds().and(other.rounds()), phase));
        }

        private List<Edge> edges(Map<Pair, Integer> places) {
            Map<Integer, List<Edge>> ofFirst = first.edges().stream().collect(Collectors.groupingBy(Edge::to));
            Map<Integer, Map<String, List<Edge>>> ofSecond = second.edges().stream()
                .collect(Collectors.groupingBy(Edge::to, Collectors.groupingBy(Edge::tensor)));
            Set<Edge> edges = new LinkedHashSet<>();
            places.forEach((reader, place) -> {
                for (Edge one : ofFirst.getOrDefault(reader.first(), List.of())) {
                    for (Edge other : ofSecond.getOrDefault(reader.second(), Map.of())
                        .getOrDefault(one.tensor(), List.of())) {
                        Integer writer = places.get(new Pair(one.from(), other.from()));
                        if (writer != null) {
                            edges.add(new Edge(one.tensor(), writer, place, Math.max(one.slip(), other.slip()),
                                form(one.form(), other.form())));
                        }
                    }
                }
            });
            return List.copyOf(edges);
        }

        private Edge.Form form(Edge.Form one, Edge.Form other) {
            if (one.equals(Edge.Form.LAST) || one.equals(other)) {
                return other;
            }
            if (other.equals(Edge.Form.LAST)) {
                return one;
            }
            throw new PlanException(first.strategy() + "+" + second.strategy() + ": values that are not made are to be "
                + one + " and " + other + " at once; let one of them be replace");
        }
    }
}
