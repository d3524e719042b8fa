package dev.slipstream.pipelines.plan;

import dev.slipstream.pipelines.plan.Stage.Branch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Components of the denoiser at the same time on different devices, each reading what the others made in the round
 * before (Chen et al., "AsyncDiff: Parallelizing Diffusion Models by Asynchronous Denoising", NeurIPS 2024).
 *
 * @param parts number of components; 0 means as many as the devices serve
 * @param staleness how old values between components are where a component is not convex
 */
public record AsyncDiff(int parts, Cadence cadence, Staleness staleness, Optional<String> cut) implements Strategy {
    /** How old values between components are in the asynchronous window. */
    public enum Staleness {
        /** One round everywhere, as in the published implementation. */
        REFERENCE,
        /**
         * One round, but 0 where the component that reads lies between two segments of the component that writes: the
         * inner part of a network starts as soon as the outer one has made its input. A round fresher for the deep
         * layers, at the same speed when the parts are balanced.
         */
        PIPELINED
    }

    private static final List<String> KEYS =
        List.of("n", "warmup", "length", "tail", "stride", "form", "shift", "cut", "staleness");
    private static final int MOST_PARTS = 256;

    public AsyncDiff {
        if (parts < 0 || parts == 1) {
            throw new PlanException("asyncdiff needs at least 2 components, not " + parts);
        }
    }

    /** The usual form: as many components as the devices serve, one synchronous step, and then every step a round. */
    public static AsyncDiff usual() {
        return new AsyncDiff(0, new Cadence(1, 0, 1, true, false), Staleness.PIPELINED, Optional.empty());
    }

    /** @param count of components, at least 2 */
    public AsyncDiff withParts(int count) {
        return new AsyncDiff(count, cadence, staleness, cut);
    }

    /** @param steps at the beginning that are synchronous, at least 1 */
    public AsyncDiff withWarmUp(int steps) {
        return with(cadence.withWarmUp(steps));
    }

    /** @param steps at the end that are synchronous */
    public AsyncDiff withTail(int steps) {
        return with(cadence.withTail(steps));
    }

    /** All of the cadence. */
    public AsyncDiff with(Cadence other) {
        return new AsyncDiff(parts, other, staleness, cut);
    }

    /** @param name of a cut that the model's family or its {@code cuts.json} has */
    public AsyncDiff withCut(String name) {
        return new AsyncDiff(parts, cadence, staleness, Optional.of(name));
    }

    /** @throws PlanException naming the setting that is not understood */
    static AsyncDiff parse(Settings settings) {
        settings.refuseOthers(KEYS);
        Cadence cadence = new Cadence(settings.number("warmup", 1, 1, Settings.MOST_STEPS),
            settings.has("length") ? settings.number("length", 1, 1, Settings.MOST_STEPS) : Cadence.TO_THE_TAIL,
            settings.number("tail", 0, 0, Settings.MOST_STEPS), settings.number("stride", 1, 1, 2),
            settings.choice("form", "reuse", "paper").equals("reuse"),
            settings.choice("shift", "false", "true").equals("true"));
        Staleness staleness = settings.choice("staleness", "pipelined", "reference").equals("reference")
            ? Staleness.REFERENCE : Staleness.PIPELINED;
        int parts = settings.has("n") ? settings.number("n", 2, 2, MOST_PARTS) : 0;
        return new AsyncDiff(parts, cadence, staleness, settings.text("cut"));
    }

    @Override
    public Cutting cutting(int devices) {
        // With stride 2 a part around others runs twice a round; and what was published had its own cuts.
        return new Cutting.Parts(components(devices), cut,
            cadence.stride() == 1 && staleness == Staleness.PIPELINED);
    }

    @Override
    public boolean scales() {
        return true;
    }

    private int components(int devices) {
        if (parts > 0) {
            return parts;
        }
        int served = cadence.stride() == 2 && !cadence.reuse() && devices > 2 ? devices - 1 : devices;
        if (served < 2) {
            throw new PlanException("asyncdiff needs at least 2 devices (or n=COMPONENTS); with 1 use sequential");
        }
        return served;
    }

    @Override
    public int usualDevices() {
        return Math.max(2, parts);
    }

    @Override
    public Plan plan(List<SegmentOutline> segments, String prediction, int devices, boolean guided) {
        int count = 1 + segments.stream().mapToInt(SegmentOutline::component).max().orElse(-1);
        int last = segments.stream().filter(segment -> segment.writes().contains(prediction)).findFirst()
            .map(SegmentOutline::component)
            .orElseThrow(() -> new PlanException("no segment writes the prediction " + prediction));
        // A round that serves two steps runs every component for the later step, and the last one for its own step too.
        boolean twice = cadence.stride() == 2 && (!cadence.reuse() || feedsOthers(segments, last));
        boolean extra = segments.stream().anyMatch(segment -> segment.component() < 0);
        int most = count + (twice ? 1 : 0) + (extra ? 1 : 0);
        if (devices > most) {
            throw new PlanException("asyncdiff with " + count + " components uses at most " + most + " devices, not "
                + devices + "; ask for more components or fewer devices");
        }
        Branch branch = guided ? Branch.BOTH : Branch.CONDITIONAL;
        List<Stage> stages = new ArrayList<>();
        for (int segment = 0; segment < segments.size(); segment++) {
            int component = segments.get(segment).component();
            if (component < 0) {
                // In a round all others wait for it, so a device of its own saves memory more than time.
                stages.add(new Stage(segment, devices - 1, branch, 0));
                continue;
            }
            boolean ahead = cadence.stride() == 2 && (component != last || twice);
            if (ahead) {
                stages.add(new Stage(segment, component % devices, branch, 1));
            }
            if (!ahead || component == last) {
                // The second run of the last component has a device of its own, if there is one more.
                stages.add(new Stage(segment, ahead && devices > count ? count : component % devices, branch, 0));
            }
        }
        return new Plan(spec(), devices, segments, stages, edges(segments, stages), cadence, prediction);
    }

    private static boolean feedsOthers(List<SegmentOutline> segments, int component) {
        return segments.stream().filter(segment -> segment.component() != component)
            .flatMap(segment -> segment.reads().stream())
            .anyMatch(tensor -> segments.stream()
                .anyMatch(writer -> writer.component() == component && writer.writes().contains(tensor)));
    }

    /** Inside a component a stage reads its own twin of this round; from others, the stages that run ahead. */
    private List<Edge> edges(List<SegmentOutline> segments, List<Stage> stages) {
        return Edges.derive(segments, stages, (consumer, producer) -> {
            Stage reader = stages.get(consumer);
            int component = segments.get(producer).component();
            if (component < 0) {
                return new Edges.Source(primary(stages, producer), 0);
            }
            boolean inside = component == segments.get(reader.segment()).component();
            int lead = inside ? reader.lead() : cadence.stride() - 1;
            int source = stages.indexOf(stages.stream()
                .filter(stage -> stage.segment() == producer && stage.lead() == lead).findFirst().orElseThrow());
            boolean between = segments.subList(reader.segment(), segments.size()).stream()
                .anyMatch(later -> later.component() == component);
            boolean fresh = inside || staleness == Staleness.PIPELINED && between;
            return new Edges.Source(source, fresh ? 0 : 1);
        });
    }

    private static int primary(List<Stage> stages, int segment) {
        return IntStream.range(0, stages.size()).filter(stage -> stages.get(stage).segment() == segment).findFirst()
            .orElseThrow();
    }

    @Override
    public String spec() {
        StringBuilder text = new StringBuilder("asyncdiff:");
        if (parts > 0) {
            text.append("n=").append(parts).append(',');
        }
        text.append("warmup=").append(cadence.warmUp());
        if (cadence.length() != Cadence.TO_THE_TAIL) {
            text.append(",length=").append(cadence.length());
        }
        if (cadence.tail() > 0) {
            text.append(",tail=").append(cadence.tail());
        }
        if (cadence.stride() > 1) {
            text.append(",stride=").append(cadence.stride());
            text.append(",form=").append(cadence.reuse() ? "reuse" : "paper");
        }
        if (cadence.timeShift()) {
            text.append(",shift");
        }
        cut.ifPresent(name -> text.append(",cut=").append(name));
        if (staleness == Staleness.REFERENCE) {
            text.append(",staleness=reference");
        }
        return text.toString();
    }
}
