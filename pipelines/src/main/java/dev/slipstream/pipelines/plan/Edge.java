package dev.slipstream.pipelines.plan;

/**
 * A tensor that goes from one stage to another.
 *
 * @param from index into {@link Plan#stages}
 * @param to index into {@link Plan#stages}
 * @param slip how many rounds old the value is in the asynchronous window; 0 outside it
 */
public record Edge(String tensor, int from, int to, int slip) {
}
