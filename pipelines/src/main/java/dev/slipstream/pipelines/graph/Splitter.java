package dev.slipstream.pipelines.graph;

import java.util.List;
import java.util.Set;

/**
 * Cuts a graph into convex segments.
 *
 * <p>A node that does not depend on the latents (time embedding, keys and values of the text, casts of weights) is
 * replicated into every segment that uses it, so such values never lag. So is glue between modules, such as the
 * concatenation of a skip, which therefore sees values of its own component fresh, as in AsyncDiff (arXiv 2406.06911).
 * All else belongs to one component, and a component that is not convex becomes several segments.
 */
public final class Splitter {
    private Splitter() {
    }

    /**
     * Cuts by modules.
     *
     * @param laggable inputs of the graph that change from step to step through the latents, normally {@code sample};
     *     the timestep and the conditioning are not among them
     * @throws GraphException if a prefix matches no node, a component would be empty, or an expensive node belongs to
     *     none
     */
    public static Partition split(Graph graph, Cut cut, Set<String> laggable) {
        Graph live = GraphPruner.prune(graph);
        StepDependence dependence = new StepDependence(live, laggable);
        return partition(graph, live, dependence, PrefixOwnership.of(live, dependence, cut));
    }

    /**
     * Cuts at tensors: component k is what the tensors {@code ends.get(k)} need and no earlier component has, and one
     * more component is the rest.
     *
     * @throws GraphException if no node makes such a tensor, or a component would be empty
     */
    public static Partition split(Graph graph, List<List<String>> ends, Set<String> laggable) {
        Graph live = GraphPruner.prune(graph);
        StepDependence dependence = new StepDependence(live, laggable);
        return partition(graph, live, dependence, TensorOwnership.of(live, dependence, ends));
    }

    private static Partition partition(Graph whole, Graph live, StepDependence dependence, Ownership ownership) {
        ConvexAssignment assignment = new ConvexAssignment(live, ownership);
        return new Partition(whole, new SegmentBuilder(live).build(dependence, assignment));
    }
}
