package dev.slipstream.pipelines.plan;

import java.util.List;
import java.util.Optional;

/** A way to make plans. Implementations are records of their settings; {@link Strategies} reads them from text. */
public sealed interface Strategy permits Sequential, CfgSplit, AsyncDiff {
    /** Into how many components the denoiser must be cut for this many devices. */
    int components(int devices);

    /** Whether the guidance branches run apart, so that stages see half of the guidance batch. */
    default boolean splitsGuidance() {
        return false;
    }

    /** The name of the cut to use, if the user asked for one. */
    default Optional<String> cut() {
        return Optional.empty();
    }

    /**
     * What can be known before anything is cut.
     *
     * @param guided whether classifier-free guidance doubles the batch
     * @throws PlanException if the devices do not fit
     */
    default void check(int devices, boolean guided) {
    }

    /**
     * Places the segments.
     *
     * @param segments in an order in which they can run; of as many components as {@link #components} says
     * @param prediction the tensor that the noise scheduler consumes
     * @param guided whether classifier-free guidance doubles the batch
     * @throws PlanException if the devices do not fit
     */
    Plan plan(List<SegmentOutline> segments, String prediction, int devices, boolean guided);

    /** The strategy and its settings, as {@link Strategies#parse} reads them. */
    String spec();
}
