package dev.slipstream.pipelines.graph;

import ai.onnx.proto.OnnxMl.NodeProto;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.function.ToDoubleFunction;

/** A cut for any model with module paths and any number of components: contiguous, with loads as even as can be. */
public final class BalancedCut {
    private BalancedCut() {
    }

    /**
     * Divides the modules (residual blocks, attentions, samplers, single convolutions) in their order of execution
     * such that the largest load of a component is as small as possible.
     *
     * @param components how many
     * @param laggable inputs that change from step to step through the latents; nodes that do not depend on them are
     *     replicated and count for nothing
     * @param cost what a node costs in any unit, not negative; multiply-accumulates, or measured time
     * @throws GraphException if there are fewer modules than components
     */
    public static Cut of(Graph graph, int components, Set<String> laggable, ToDoubleFunction<NodeProto> cost) {
        if (components < 1) {
            throw new IllegalArgumentException("a cut has at least one component, not " + components);
        }
        Graph live = GraphPruner.prune(graph);
        List<ModuleUnit> units = ModuleUnit.inOrder(live, new StepDependence(live, laggable), cost);
        if (components > units.size()) {
            throw new GraphException("cannot cut " + units.size() + " modules into " + components + " components: "
                + units.stream().map(ModuleUnit::path).toList());
        }
        List<List<String>> lists = new ArrayList<>();
        int start = 0;
        for (int end : ends(units.stream().mapToDouble(ModuleUnit::cost).toArray(), components)) {
            lists.add(units.subList(start, end).stream().map(ModuleUnit::path).toList());
            start = end;
        }
        return new Cut("balanced-" + components, lists);
    }

    /** Ends of the parts: the linear partition problem, by dynamic programming over (parts, items). */
    static List<Integer> ends(double[] costs, int parts) {
        int count = costs.length;
        double[] sums = new double[count + 1];
        for (int i = 0; i < count; i++) {
            sums[i + 1] = sums[i] + costs[i];
        }
        double[][] largest = new double[parts + 1][count + 1];
        int[][] lastStart = new int[parts + 1][count + 1];
        for (int end = 1; end <= count; end++) {
            largest[1][end] = sums[end];
        }
        for (int part = 2; part <= parts; part++) {
            for (int end = part; end <= count; end++) {
                largest[part][end] = Double.POSITIVE_INFINITY;
                for (int start = part - 1; start < end; start++) {
                    double candidate = Math.max(largest[part - 1][start], sums[end] - sums[start]);
                    if (candidate < largest[part][end]) {
                        largest[part][end] = candidate;
                        lastStart[part][end] = start;
                    }
                }
            }
        }
        List<Integer> ends = new ArrayList<>();
        int end = count;
        for (int part = parts; part >= 1; part--) {
            ends.add(end);
            end = lastStart[part][end];
        }
        Collections.reverse(ends);
        return ends;
    }
}
