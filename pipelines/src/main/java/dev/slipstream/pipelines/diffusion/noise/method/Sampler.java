package dev.slipstream.pipelines.diffusion.noise.method;

import dev.slipstream.pipelines.run.loop.NoiseTable;

/** A sampling method with its options read and checked: all that is missing is the number of steps. */
public interface Sampler {
    /** How many timesteps the model was trained with, and so the most steps that can be asked for. */
    int trainedTimesteps();

    /**
     * The rows for so many steps, which are 1 to {@link #trainedTimesteps()}, from one of them on. What belongs to the
     * steps before is unknown there.
     *
     * @param first from 0, less than {@code steps}
     */
    NoiseTable table(int steps, int first);
}
