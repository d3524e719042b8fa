/**
 * ONNX graphs: reading and writing.
 *
 * <p>{@link dev.slipstream.pipelines.graph.GraphFile} reads an immutable {@link dev.slipstream.pipelines.graph.Graph}
 * and writes it; {@link dev.slipstream.pipelines.graph.GraphProtos} does the same with ONNX messages. What rewrites of
 * graphs share is here, too: {@link dev.slipstream.pipelines.graph.Nodes} asks one node,
 * {@link dev.slipstream.pipelines.graph.Renaming} gives tensors new names, and
 * {@link dev.slipstream.pipelines.graph.GraphPruner} removes what no output needs. Errors are
 * {@link dev.slipstream.pipelines.graph.GraphException}s.
 *
 * <p>The rooms inside build on this one and not the other way round: {@code tensor} (types and constants),
 * {@code shape} (what every tensor looks like), {@code cut} (segments), {@code pipe} (parts of transformers for patches
 * of a picture), {@code build} (writing graphs by hand), {@code precision} and {@code fusion} (rewrites).
 */
package dev.slipstream.pipelines.graph;
