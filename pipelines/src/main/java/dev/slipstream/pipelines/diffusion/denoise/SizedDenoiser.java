package dev.slipstream.pipelines.diffusion.denoise;

import dev.slipstream.pipelines.diffusion.denoise.FixedDenoiser.Whole;
import dev.slipstream.pipelines.graph.shape.Costs;
import dev.slipstream.pipelines.plan.Strategy.Cutting;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A denoiser for the sizes of a loop, where many plans are looked at: what is the same for several of them, the graph
 * fixed to sizes, the search for cuts and the segments, is worked out once. Any thread may use it; it keeps all that it
 * was asked for.
 */
public final class SizedDenoiser {
    private final DenoiserGraph denoiser;
    private final LoopShape shape;
    private final Map<Long, Whole> wholes = new ConcurrentHashMap<>();
    private final Map<Long, CutChoice> choices = new ConcurrentHashMap<>();
    private final Map<Asked, FixedDenoiser> cut = new ConcurrentHashMap<>();

    /** @param like the rows for which it is decided where to cut, which may be more */
    private record Asked(long rows, long like, Cutting cutting, boolean lows) {
    }

    public SizedDenoiser(DenoiserGraph denoiser, LoopShape shape) {
        this.denoiser = denoiser;
        this.shape = shape;
    }

    public DenoiserGraph denoiser() {
        return denoiser;
    }

    public LoopShape shape() {
        return shape;
    }

    /** Cut for so many rows. @param lows whether a segment is to make the low frequencies of the prediction */
    FixedDenoiser cut(long rows, Cutting cutting, boolean lows) {
        return cut.computeIfAbsent(new Asked(rows, rows, cutting, lows),
            key -> FixedDenoiser.of(whole(rows), cutting, () -> choice(rows).cuts(cutting), lows));
    }

    /** Cut for half of the rows, in the places in which it is cut for all. */
    FixedDenoiser half(long rows, Cutting cutting, boolean lows) {
        FixedDenoiser all = cut(rows, cutting, lows);
        return cut.computeIfAbsent(new Asked(rows / 2, rows, cutting, lows), key -> all.with(whole(rows / 2)));
    }

    private Whole whole(long rows) {
        return wholes.computeIfAbsent(rows, key -> Whole.of(denoiser, shape, rows));
    }

    private CutChoice choice(long rows) {
        // Lag shows where the cut is, so it must not depend on how many pictures are drawn together.
        return choices.computeIfAbsent(rows, key -> new CutChoice(denoiser.with(whole(rows).graph()),
            Costs.ofItem(whole(rows).graph(), shape.batch())));
    }
}
