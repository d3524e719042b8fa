package dev.slipstream.pipelines.diffusion.queue;

import dev.slipstream.pipelines.run.timeline.Timeline;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A request as work in parts: engines are built, prompts encoded, latents denoised, pictures decoded. Each part begins
 * when the one before is over, and may run on another thread; one thread at a time.
 */
public interface QueuedWork {
    /** Its turn has come; its prompts may just be being encoded by another thread. */
    void begin();

    /** Takes its engines, if nothing must be built. @return whether it has them */
    boolean takeEngines();

    /** Builds what is not there. Nothing of other requests is under way. */
    void buildEngines();

    /** Makes what its loops are given. Its engines must be there. */
    void encode();

    /** Runs its loops. */
    void denoise(Follower follower);

    /** Makes pictures of its latents, and with them completes it. */
    void decode();

    /** It is over. @param failure what ended it, null if nothing failed */
    void end(@Nullable Throwable failure);

    /** Ends it before its turn. */
    void refuse(CancellationException reason);

    /** Frees what was made for it. */
    void free();

    /** Whether there is room for parts of other requests beside its loops. It has its engines. */
    boolean overlaps();

    /**
     * After how many steps of its loops works begin best that are done beside them, one after another.
     *
     * @param nanos how long each takes
     * @param loopNanos how long the loops take
     */
    List<Integer> begins(List<Long> nanos, long loopNanos);

    /** The device on which it encodes and decodes. */
    int home();

    /** Who follows the loops, on the thread that drives them. */
    interface Follower {
        /** @param steps how many are done of all loops */
        void stepsDone(int steps);

        /**
         * A loop has just ended.
         *
         * @param timeline what it did, if it was traced
         * @param endedAt by {@link System#nanoTime}
         */
        void looped(Supplier<Timeline> timeline, long endedAt);
    }
}
