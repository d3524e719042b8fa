package dev.slipstream.pipelines.cache;

/**
 * What a request costs from a step on, so that going on from kept latents is done only where it saves something. Values
 * of earlier steps are not kept, so a plan with slip warms up again wherever it begins. All in one unit, milliseconds
 * or synchronous steps.
 *
 * @param steps of the whole request
 * @param warmUp synchronous steps at the beginning of each run, at most all
 * @param tail synchronous steps at its end
 * @param synchronous cost of one of these
 * @param asynchronous cost of one of the others
 * @param resuming what it costs to find, read and take in the latents
 */
public record StepCosts(int steps, int warmUp, int tail, double synchronous, double asynchronous, double resuming) {
    /** @throws IllegalArgumentException if a number is negative, or there are no steps */
    public StepCosts {
        if (steps < 1 || warmUp < 0 || tail < 0 || !(synchronous >= 0) || !(asynchronous >= 0) || !(resuming >= 0)) {
            throw new IllegalArgumentException("costs of steps are not negative, and there is a step at least");
        }
    }

    /** Where all steps cost the same, in steps, and going on costs nothing: plans without slip. */
    public static StepCosts ofExact(int steps) {
        return new StepCosts(steps, 0, 0, 1, 1, 0);
    }

    /** The cost of the steps from {@code first}, counted from 0, to the end. */
    public double from(int first) {
        int left = Math.max(0, steps - first);
        int synchronousSteps = Math.min(left, warmUp + tail);
        return synchronousSteps * synchronous + (left - synchronousSteps) * asynchronous;
    }

    /** What is saved by going on at step {@code first}; not positive if nothing is. */
    public double saved(int first) {
        return first <= 0 ? 0 : from(0) - from(first) - resuming;
    }
}
