package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.run.Execution;
import java.time.Duration;

/**
 * How a loop is run and what it leaves behind.
 *
 * @param keepLatents whether the latents of every step stay readable after a run
 * @param estimateEvery after every so many steps {@link Execution#estimate} has the clean image that the step expects;
 *     0 for none
 * @param traced whether runs are timed ({@link Execution#timeline})
 * @param guarded whether what every stage makes is searched for NaN and infinite values
 * @param replayed whether what recurs is recorded and replayed, on devices that can; traced runs are not
 * @param patience how long a step may take before the devices that do not move are given up
 */
public record LoopOptions(boolean keepLatents, int estimateEvery, boolean traced, boolean guarded, boolean replayed,
    Duration patience) {
    public static final LoopOptions DEFAULT =
        new LoopOptions(false, 0, false, false, true, Execution.DEFAULT_PATIENCE);

    public LoopOptions {
        if (!patience.isPositive()) {
            throw new IllegalArgumentException("a step cannot be done within " + patience.toSeconds() + " s");
        }
    }

    public LoopOptions withKeptLatents(boolean keep) {
        return new LoopOptions(keep, estimateEvery, traced, guarded, replayed, patience);
    }

    public LoopOptions withEstimateEvery(int steps) {
        return new LoopOptions(keepLatents, steps, traced, guarded, replayed, patience);
    }

    public LoopOptions withTrace(boolean trace) {
        return new LoopOptions(keepLatents, estimateEvery, trace, guarded, replayed, patience);
    }

    public LoopOptions withGuards(boolean guard) {
        return new LoopOptions(keepLatents, estimateEvery, traced, guard, replayed, patience);
    }

    public LoopOptions withReplay(boolean replay) {
        return new LoopOptions(keepLatents, estimateEvery, traced, guarded, replay, patience);
    }

    public LoopOptions withPatience(Duration longest) {
        return new LoopOptions(keepLatents, estimateEvery, traced, guarded, replayed, longest);
    }
}
