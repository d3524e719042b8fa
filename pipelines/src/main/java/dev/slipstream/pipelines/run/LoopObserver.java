package dev.slipstream.pipelines.run;

/** Follows a loop. Called on the thread that drives it, outside any lock, while the devices go on working. */
public interface LoopObserver {
    /** Sees nothing, never stops. */
    LoopObserver NONE = new LoopObserver() {
    };

    /** The latents after this step are there. */
    default void stepDone(int step, int steps) {
    }

    /** Whether to stop; asked once a step. The steps already queued are finished first. */
    default boolean isCancelled() {
        return false;
    }
}
