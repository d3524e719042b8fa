package dev.slipstream.pipelines.diffusion.denoise;

import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.TensorObserver;
import dev.slipstream.pipelines.run.loop.Estimates;
import dev.slipstream.pipelines.run.loop.KeptLatents;
import java.time.Duration;
import java.util.Optional;

/**
 * How a loop is run and what it leaves behind.
 *
 * @param kept after which steps latents stay readable after a run
 * @param estimates after which steps {@link Execution#estimate} has the clean image that the step expects
 * @param traced whether runs are timed ({@link Execution#timeline})
 * @param guarded whether what every stage makes is searched for NaN and infinite values
 * @param replayed whether what recurs is recorded and replayed, on devices that can; traced runs are not
 * @param patience how long a step may take before the devices that do not move are given up
 * @param observer who looks at tensors between segments; nothing is replayed then
 * @param overlapped whether text encoders and decoders of other requests work meanwhile
 */
public record LoopOptions(KeptLatents kept, Estimates estimates, boolean traced, boolean guarded, boolean replayed,
    Duration patience, Optional<TensorObserver> observer, boolean overlapped) {
    public static final LoopOptions DEFAULT =
        new LoopOptions(KeptLatents.LAST, Estimates.NONE, false, false, true, Execution.DEFAULT_PATIENCE,
            Optional.empty(), false);

    public LoopOptions {
        if (!patience.isPositive()) {
            throw new IllegalArgumentException("a step cannot be done within " + patience.toSeconds() + " s");
        }
    }

    /** @param all whether those of every step stay readable */
    public LoopOptions withKeptLatents(boolean all) {
        return new LoopOptions(all ? KeptLatents.ALL : KeptLatents.LAST, estimates, traced, guarded, replayed,
            patience, observer, overlapped);
    }

    public LoopOptions withEstimates(Estimates wanted) {
        return new LoopOptions(kept, wanted, traced, guarded, replayed, patience, observer, overlapped);
    }

    public LoopOptions withTrace(boolean trace) {
        return new LoopOptions(kept, estimates, trace, guarded, replayed, patience, observer, overlapped);
    }

    public LoopOptions withGuards(boolean guard) {
        return new LoopOptions(kept, estimates, traced, guard, replayed, patience, observer, overlapped);
    }

    public LoopOptions withReplay(boolean replay) {
        return new LoopOptions(kept, estimates, traced, guarded, replay, patience, observer, overlapped);
    }

    public LoopOptions withPatience(Duration longest) {
        return new LoopOptions(kept, estimates, traced, guarded, replayed, longest, observer, overlapped);
    }

    public LoopOptions withObserver(TensorObserver looking) {
        return new LoopOptions(kept, estimates, traced, guarded, replayed, patience, Optional.of(looking),
            overlapped);
    }

    public LoopOptions withOverlap(boolean overlap) {
        return new LoopOptions(kept, estimates, traced, guarded, replayed, patience, observer, overlap);
    }
}
