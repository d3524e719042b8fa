/**
 * What an engine computes as one operator becomes one node.
 *
 * <p>{@link dev.slipstream.pipelines.graph.fusion.AttentionFusion} finds attention in whatever form it was exported.
 */
package dev.slipstream.pipelines.graph.fusion;
