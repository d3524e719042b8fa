package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.pipelines.run.NoiseTable;

/**
 * Stands for a file's own method that cannot be used, until another is chosen.
 *
 * @param refusal why
 */
record RefusedMethod(NoiseSchedulerException refusal) implements Sampler {
    @Override
    public int trainedTimesteps() {
        throw refused();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        throw refused();
    }

    /** A new one each time, which has the stack of who asked. */
    private NoiseSchedulerException refused() {
        return new NoiseSchedulerException(refusal.getMessage(), refusal);
    }
}
