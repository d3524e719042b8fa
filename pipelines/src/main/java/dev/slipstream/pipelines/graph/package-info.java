/**
 * ONNX graphs: reading, writing, cutting.
 *
 * <p>{@link dev.slipstream.pipelines.graph.GraphFile} reads an immutable {@link dev.slipstream.pipelines.graph.Graph}
 * and writes it. {@link dev.slipstream.pipelines.graph.Splitter} cuts it into the
 * {@link dev.slipstream.pipelines.graph.Segment}s of a {@link dev.slipstream.pipelines.graph.Partition}, by a
 * {@link dev.slipstream.pipelines.graph.Cut} that {@link dev.slipstream.pipelines.graph.Cuts} finds or
 * {@link dev.slipstream.pipelines.graph.BalancedCut} makes. Errors are
 * {@link dev.slipstream.pipelines.graph.GraphException}s.
 */
package dev.slipstream.pipelines.graph;
