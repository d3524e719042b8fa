/**
 * Shapes: what every tensor of a graph looks like once the inputs are fixed, and graphs without shape arithmetic.
 *
 * <p>Exporters write graphs for any batch and size, where each Reshape is fed by a chain of Shape, Gather, Unsqueeze
 * and Concat. {@link dev.slipstream.pipelines.graph.shape.InputTypes} says what the inputs are,
 * {@link dev.slipstream.pipelines.graph.shape.TensorTypes} what every tensor then is,
 * {@link dev.slipstream.pipelines.graph.shape.StaticShapes} makes the graph for exactly these inputs, in which only
 * the real work is left, and {@link dev.slipstream.pipelines.graph.shape.Costs} says how much work each node is.
 *
 * <p>Inside, {@code Propagation} walks the graph once. For each node a rule of the package {@code rule} gives the types
 * of the outputs, and the values where all inputs are known constants, because later shapes depend on them.
 */
package dev.slipstream.pipelines.graph.shape;
