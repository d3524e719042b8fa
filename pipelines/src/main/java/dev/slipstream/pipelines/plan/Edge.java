package dev.slipstream.pipelines.plan;

/**
 * A tensor that goes from one stage to another.
 *
 * @param from index into {@link Plan#stages}
 * @param to index into {@link Plan#stages}
 * @param slip how many rounds of its writer the value is behind in the asynchronous window; 0 outside it. Where the
 *     writer does not run, its last value is read: one that runs less often lags by that alone
 */
public record Edge(String tensor, int from, int to, int slip) {
}
