/**
 * Graphs in the form in which a device is given them: what it computes as one operator becomes one node.
 *
 * <p>{@link dev.slipstream.pipelines.graph.fusion.DeviceForm} knows which device takes which form,
 * {@link dev.slipstream.pipelines.graph.fusion.AttentionFusion} finds attention in whatever form it was exported.
 */
package dev.slipstream.pipelines.graph.fusion;
