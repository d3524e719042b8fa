/**
 * What the tensors of a graph are: element types, types, and values that are known before the graph runs.
 *
 * <p>{@link dev.slipstream.pipelines.graph.tensor.ValueType} is a {@code TensorType} with all element types that graphs
 * use, {@link dev.slipstream.pipelines.graph.tensor.Constant} a small tensor with its values.
 * {@link dev.slipstream.pipelines.graph.tensor.ValueInfos} and
 * {@link dev.slipstream.pipelines.graph.tensor.ConstantProtos} are the way from and to the messages of ONNX files.
 * The package is not exported.
 */
package dev.slipstream.pipelines.graph.tensor;
