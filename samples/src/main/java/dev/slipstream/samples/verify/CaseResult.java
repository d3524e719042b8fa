package dev.slipstream.samples.verify;

import java.util.List;

/**
 * The verdict on a case.
 *
 * @param difference largest absolute difference of an element over all steps; NaN if some latents are not numbers
 * @param step the step after which it is that large, counted from 1
 */
record CaseResult(String name, double difference, int step, boolean passed) {
    /** @param expected latents after each step; likewise {@code actual}, of the same sizes */
    static CaseResult compare(String name, List<float[]> expected, List<float[]> actual, double tolerance) {
        double largest = 0;
        int at = 1;
        for (int step = 0; step < expected.size() && !Double.isNaN(largest); step++) {
            double difference = difference(expected.get(step), actual.get(step));
            if (!(difference <= largest)) {
                largest = difference;
                at = step + 1;
            }
        }
        return new CaseResult(name, largest, at, largest <= tolerance);
    }

    /** NaN if an element of either is not a number: that is never agreement. */
    private static double difference(float[] expected, float[] actual) {
        if (expected.length != actual.length) {
            throw new IllegalArgumentException(expected.length + " numbers cannot be compared with " + actual.length);
        }
        double largest = 0;
        for (int i = 0; i < expected.length; i++) {
            double difference = Math.abs((double) expected[i] - actual[i]);
            if (Double.isNaN(difference)) {
                return Double.NaN;
            }
            largest = Math.max(largest, difference);
        }
        return largest;
    }
}
