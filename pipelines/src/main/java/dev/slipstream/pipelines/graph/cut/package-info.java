/**
 * Cutting graphs into segments.
 *
 * <p>{@link dev.slipstream.pipelines.graph.cut.Splitter} cuts a graph into the
 * {@link dev.slipstream.pipelines.graph.cut.Segment}s of a {@link dev.slipstream.pipelines.graph.cut.Partition}, by a
 * {@link dev.slipstream.pipelines.graph.cut.Cut} that {@link dev.slipstream.pipelines.graph.cut.Cuts} finds or
 * {@link dev.slipstream.pipelines.graph.cut.BalancedCut} makes.
 *
 * <p>Inside, {@code StepDependence} says what changes from step to step, {@code Ownership} which component a node
 * belongs to, and {@code ConvexAssignment} divides components into convex segments.
 */
package dev.slipstream.pipelines.graph.cut;
