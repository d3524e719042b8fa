package dev.slipstream.pipelines.run.unroll;

import dev.slipstream.bridge.Arithmetic.Limit;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.SegmentOutline;
import dev.slipstream.pipelines.run.loop.LoopSpec.Band;
import dev.slipstream.pipelines.run.loop.LoopSpec;
import dev.slipstream.pipelines.run.program.Work;
import dev.slipstream.pipelines.run.unroll.Value.Access;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Bands of the latents' rows. Where a plan predicts them apart, each goes through the loop by itself: the noise
 * scheduler takes its step as soon as the band is predicted, and the next prediction of the band does not wait for the
 * others. What the plan has to divide latents and to put predictions together then has nothing to do.
 *
 * <p>That is so in the window of the plan, unless something looks at whole pictures: limits by their quantiles,
 * rescaled guidance, channels beside the latents.
 */
final class Bands {
    /** In place of the number of a band: the latents as a whole. */
    static final int WHOLE = -1;

    private final Plan plan;
    private final LoopSpec loop;
    private final TaskList tasks;
    private final boolean areThere;
    private final List<Long> rows;

    Bands(Plan plan, LoopSpec loop, TaskList tasks) {
        this.plan = plan;
        this.loop = loop;
        this.tasks = tasks;
        this.areThere = !loop.bands().isEmpty() && loop.noise().limit().stream().allMatch(Limit.Clamp.class::isInstance)
            && !loop.guidance().isRescaled() && !loop.guidance().isPartwise()
            && plan.stages().stream().allMatch(stage -> loop.extraBytes(stage.branch()) == 0);
        this.rows = loop.bands().stream().map(band -> loop.type(band.prediction(), plan.stages().getFirst().branch())
            .shape().dim(2)).toList();
    }

    int count() {
        return rows.size();
    }

    /** Whether bands go through a step one by one. */
    boolean areApart(int step) {
        return areThere && !plan.cadence().isSynchronous(step, loop.noise().steps());
    }

    /** Whether a stage only divides latents or puts predictions together. */
    boolean isJoint(int stage) {
        SegmentOutline segment = plan.segment(stage);
        return loop.bands().stream().anyMatch(band -> segment.writes().contains(band.sample())
            || puts(segment, band));
    }

    private boolean puts(SegmentOutline segment, Band band) {
        return segment.writes().contains(plan.prediction()) && segment.reads().contains(band.prediction());
    }

    /** Whether a stage puts the predictions of bands together. */
    boolean isAssembly(int stage) {
        return loop.bands().stream().anyMatch(band -> puts(plan.segment(stage), band));
    }

    Band band(int number) {
        return loop.bands().get(number);
    }

    /** The number of a band by what its stages read in place of the latents; {@link #WHOLE} for other tensors. */
    int ofSample(String tensor) {
        return loop.bands().stream().map(Band::sample).toList().indexOf(tensor);
    }

    /** What a value is called that steps make again and again. */
    static String role(String name, int band) {
        return band == WHOLE ? name : name + "@" + band;
    }

    /** Of a tensor like the latents, or of a band of it. */
    long bytes(int band) {
        long all = loop.latents().bytes();
        return band == WHOLE ? all : all / loop.latents().shape().dim(2) * rows.get(band);
    }

    /** The rows of a band, dense. @param whole a tensor like the latents */
    Value part(Access whole, int band, int step) {
        Value part = Value.made(role("rows", band), whole.value().device(), bytes(band));
        pieces(whole, band).forEach((to, from) -> copy(part.part(to, from.bytes()), from, step));
        return part;
    }

    /** @param parts all bands @param whole is made of them */
    void join(List<Access> parts, Value whole, int step) {
        for (int band = 0; band < count(); band++) {
            Access part = parts.get(band);
            pieces(whole.all(), band).forEach((from, to) ->
                copy(to, part.value().part(part.offset() + from, to.bytes()), step));
        }
    }

    private void copy(Access to, Access from, int step) {
        tasks.add(to.value().device(), step, new Work.Combine<>(to, List.of(from), List.of(1f)));
    }

    /** Where pieces of a band lie in the whole, by where they lie in the band. */
    private Map<Long, Access> pieces(Access whole, int band) {
        long planes = loop.latents().shape().dim(0) * loop.latents().shape().dim(1);
        long plane = whole.bytes() / planes;
        long row = plane / loop.latents().shape().dim(2);
        long first = rows.subList(0, band).stream().mapToLong(Long::longValue).sum();
        long length = row * rows.get(band);
        return IntStream.range(0, Math.toIntExact(planes)).boxed().collect(Collectors.toMap(index -> index * length,
            index -> whole.value().part(whole.offset() + index * plane + first * row, length), (one, other) -> one,
            TreeMap::new));
    }
}
