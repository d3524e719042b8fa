package dev.slipstream.pipelines.plan;

import dev.slipstream.pipelines.plan.Stage.Branch;
import dev.slipstream.pipelines.plan.Stage.Phase;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * Each device draws a part of the picture, and takes what the others made a step before where the network looks beyond
 * that part: rows beside it for convolutions, keys and values for attention, statistics for norms (Li et al.,
 * "DistriFusion: Distributed Parallel Inference for High-Resolution Diffusion Models", CVPR 2024). With a portion it
 * attends to the patches beside it alone ("PCPP", arXiv 2412.02962).
 *
 * @param count of patches; 0 means as many as there are devices
 * @param columns whether the picture is divided into columns instead of rows
 * @param warmUp steps at the beginning in which the whole picture is drawn on one device, exactly; {@code tail}
 *     likewise at the end
 * @param portion of the keys and values of the two patches beside it that a patch attends to; empty for all of all
 * @param bessel whether norms have the factor that the published code has and no model
 * @param frozen whether nothing is exchanged after the warm-up, as for comparison
 * @param segments into how many parts the graph of a patch is cut, so that copies overlap with work
 */
public record Patches(int count, boolean columns, int warmUp, int tail, Norm norm, OptionalDouble portion,
    boolean bessel, boolean frozen, int segments) implements Strategy {

    /** Which mean and variance group norms of a patch take in the window. */
    public enum Norm {
        /** Of all patches a step before, plus what has changed in its own since. */
        CORRECTED,
        /** Its own, and those of the others a step before. */
        STALE,
        /** Its own alone. */
        SEPARATE,
        /** Of all patches at this step: patches wait for each other at every norm. */
        SYNC
    }

    private static final List<String> KEYS = List.of("n", "split", "warmup", "tail", "norm", "portion", "neighbours",
        "bessel", "frozen", "segments");
    private static final int MOST_PATCHES = 256;
    private static final int MOST_SEGMENTS = 64;
    /** That of the published code, whose setting of 4 does not count the first step. */
    private static final int USUAL_WARM_UP = 5;

    public Patches {
        if (count < 0 || count == 1) {
            throw new PlanException("patches needs at least 2 patches, not " + count);
        }
        if (portion.isPresent() && !(portion.getAsDouble() > 0 && portion.getAsDouble() <= 1)) {
            throw new PlanException("patches: portion is more than 0 and at most 1, not " + portion.getAsDouble());
        }
        if (portion.isPresent() && columns) {
            throw new PlanException("patches: portion and neighbours are for patches of rows, not of columns");
        }
        if (frozen && norm != Norm.SEPARATE) {
            throw new PlanException("patches: frozen goes with norm=separate, as nothing is exchanged");
        }
    }

    /** The usual form: a patch a device, as the published code does. */
    public static Patches usual() {
        return new Patches(0, false, USUAL_WARM_UP, 0, Norm.CORRECTED, OptionalDouble.empty(), false, false, 1);
    }

    /** @param patches at least 2 */
    public Patches withCount(int patches) {
        return new Patches(patches, columns, warmUp, tail, norm, portion, bessel, frozen, segments);
    }

    /** @param steps at the beginning in which the whole picture is drawn, at least 1 */
    public Patches withWarmUp(int steps) {
        return new Patches(count, columns, steps, tail, norm, portion, bessel, frozen, segments);
    }

    /** @throws PlanException naming the setting that is not understood */
    static Patches parse(Settings settings) {
        settings.refuseOthers(KEYS);
        OptionalDouble portion = settings.has("portion") ? OptionalDouble.of(settings.share("portion", 1))
            : settings.flag("neighbours") ? OptionalDouble.of(1) : OptionalDouble.empty();
        boolean frozen = settings.flag("frozen");
        String norm = settings.choice("norm", frozen ? "separate" : "corrected", "corrected", "stale", "separate",
            "sync");
        return new Patches(settings.has("n") ? settings.number("n", 2, 2, MOST_PATCHES) : 0,
            settings.choice("split", "rows", "columns").equals("columns"),
            settings.number("warmup", USUAL_WARM_UP, 1, Settings.MOST_STEPS),
            settings.number("tail", 0, 0, Settings.MOST_STEPS), Norm.valueOf(norm.toUpperCase(Locale.ROOT)), portion,
            settings.flag("bessel"), frozen, settings.number("segments", 1, 1, MOST_SEGMENTS));
    }

    @Override
    public Cutting cutting(int devices) {
        return new Cutting.Patched(this, patches(devices));
    }

    private int patches(int devices) {
        if (count == 0 && devices < 2) {
            throw new PlanException("patches needs at least 2 devices (or n=PATCHES); with 1 use sequential");
        }
        return count > 0 ? count : devices;
    }

    @Override
    public Cadence cadence() {
        return new Cadence(warmUp, tail, 1, true, false);
    }

    @Override
    public int usualDevices() {
        return Math.max(2, count);
    }

    @Override
    public boolean scales() {
        return true;
    }

    @Override
    public void check(int devices, boolean guided) {
        if (devices > patches(devices)) {
            throw new PlanException("patches with " + count + " patches uses at most " + count + " devices, not "
                + devices + "; ask for more patches or fewer devices");
        }
    }

    /**
     * @param segments component 0 is the whole network, the next are the patches, and the last one puts what they
     *     predict together
     */
    @Override
    public Plan plan(List<SegmentOutline> segments, String prediction, int devices, boolean guided) {
        check(devices, guided);
        Branch branch = guided ? Branch.BOTH : Branch.CONDITIONAL;
        int last = patches(devices) + 1;
        List<Stage> stages = new ArrayList<>();
        for (int segment = 0; segment < segments.size(); segment++) {
            int component = segments.get(segment).component();
            boolean patch = component > 0 && component < last;
            stages.add(new Stage(segment, patch ? (component - 1) % devices : 0, branch, 0, Rounds.ALL,
                component == 0 ? Phase.SYNCHRONOUS : Phase.WINDOW));
        }
        return new Plan(spec(), devices, segments, stages, edges(segments, last),
            cadence(), prediction);
    }

    /** Stages are as many as segments, and in their order. */
    private List<Edge> edges(List<SegmentOutline> segments, int last) {
        List<Edge> edges = new ArrayList<>();
        for (int reader = 0; reader < segments.size(); reader++) {
            SegmentOutline reading = segments.get(reader);
            for (String tensor : reading.component() == 0 ? List.<String>of() : reading.reads()) {
                OptionalInt writer = writer(segments, tensor, 1);
                if (writer.isPresent()) {
                    int from = writer.getAsInt();
                    boolean own = segments.get(from).component() == reading.component();
                    boolean fresh = reading.component() == last || reading.fresh().contains(tensor)
                        || own && from < reader;
                    // What the whole network made last is what it made in the last synchronous step.
                    edges.add(fresh ? new Edge(tensor, from, reader, 0)
                        : new Edge(tensor, frozen ? writer(segments, tensor, 0).orElse(from) : from, reader, 1));
                }
            }
        }
        return edges;
    }

    /** The segment that writes a tensor. @param least number of its component */
    private static OptionalInt writer(List<SegmentOutline> segments, String tensor, int least) {
        return IntStream.range(0, segments.size()).filter(index -> segments.get(index).component() >= least
            && segments.get(index).writes().contains(tensor)).findFirst();
    }

    @Override
    public String spec() {
        StringBuilder text = new StringBuilder("patches:");
        if (count > 0) {
            text.append("n=").append(count).append(',');
        }
        text.append("warmup=").append(warmUp);
        if (columns) {
            text.append(",split=columns");
        }
        if (tail > 0) {
            text.append(",tail=").append(tail);
        }
        text.append(",norm=").append(norm.name().toLowerCase(Locale.ROOT));
        portion.ifPresent(part -> text.append(part == 1 ? ",neighbours" : ",portion=" + part));
        if (bessel) {
            text.append(",bessel");
        }
        if (frozen) {
            text.append(",frozen");
        }
        if (segments > 1) {
            text.append(",segments=").append(segments);
        }
        return text.toString();
    }
}
