package dev.slipstream.pipelines.graph.patch;

/**
 * What norms normalise with, as the names of two tensors, float32.
 *
 * @param mean of each group of each row, [rows · groups]
 * @param square mean of the squares, likewise
 */
record Moments(String mean, String square) {
}
