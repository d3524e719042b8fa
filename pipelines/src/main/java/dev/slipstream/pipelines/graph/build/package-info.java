/**
 * Writing ONNX graphs by hand, module by module, as one would write a network in PyTorch.
 *
 * <p>{@link dev.slipstream.pipelines.graph.build.GraphBuilder} starts a graph over the weights of a checkpoint; a
 * {@link dev.slipstream.pipelines.graph.build.Scope} is one module of it and has a method for each operator. What flows
 * between are {@link dev.slipstream.pipelines.graph.build.Value}s, which carry element type and shape, so that a
 * mismatch is an error where it is made. Sizes that are open are named
 * {@link dev.slipstream.pipelines.graph.build.Dim}s. Weights stay where they are: the graph refers to bytes of the
 * checkpoint's own files.
 */
package dev.slipstream.pipelines.graph.build;
