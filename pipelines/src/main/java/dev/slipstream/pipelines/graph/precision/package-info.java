/**
 * Precision as a rewrite of graphs: which nodes compute in fp16 or bf16, which stay fp32, and the casts between them.
 *
 * <p>Start at {@link dev.slipstream.pipelines.graph.precision.PrecisionRewrite}. What stays fp32 is said in one table,
 * {@code OperatorRole}, and in the few rules of {@code NarrowNodes}. A rewritten graph is an ordinary graph with the
 * node and tensor names of the one it comes from, so cuts fit it, and edges between its segments have the types of its
 * tensors.
 */
package dev.slipstream.pipelines.graph.precision;
