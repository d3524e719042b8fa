package dev.slipstream.pipelines.run.loop;

/**
 * After which steps of a loop the clean image that the step expects is readable.
 *
 * @param every after every so many steps, but not after the last of all, whose latents are the clean image; 0 for none
 * @param before steps that were taken before this loop, and count
 * @param more whether another loop goes on with the latents, so that the last step here is not the last of all
 */
public record Estimates(int every, int before, boolean more) {
    public static final Estimates NONE = every(0);

    public Estimates {
        if (every < 0) {
            throw new IllegalArgumentException("estimates come every so many steps, not " + every);
        }
        if (before < 0) {
            throw new IllegalArgumentException("no fewer than 0 steps can be taken before a loop, not " + before);
        }
    }

    /** In a loop that takes all steps. */
    public static Estimates every(int steps) {
        return new Estimates(steps, 0, false);
    }

    /** @param step of this loop, counted from 0 */
    boolean isAfter(int step, int steps) {
        return every > 0 && (before + step + 1) % every == 0 && (more || step + 1 < steps);
    }
}
