package dev.slipstream.pipelines.graph.cut;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphPruner;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.TopologicalOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToDoubleFunction;

/** A cut for any model with module paths and any number of components: contiguous, with loads as even as can be. */
public final class BalancedCut {
    private BalancedCut() {
    }

    /**
     * A module that a cut does not go through.
     *
     * @param path for example {@code up_blocks.1.resnets.0}
     * @param cost of its nodes that depend on the latents
     */
    private record Module(String path, double cost) {
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
        return of(graph, components, laggable, cost, List.of());
    }

    /** @param apart modules that are in no component */
    public static Cut of(Graph graph, int components, Set<String> laggable, ToDoubleFunction<NodeProto> cost,
        List<String> apart) {
        if (components < 1) {
            throw new IllegalArgumentException("a cut has at least one component, not " + components);
        }
        Graph live = GraphPruner.prune(graph);
        List<Module> modules = inOrder(live, new StepDependence(live, laggable), cost).stream()
            .filter(module -> apart.stream().noneMatch(other -> (module.path() + ".").startsWith(other + ".")))
            .toList();
        if (components > modules.size()) {
            throw new GraphException("cannot cut " + modules.size() + " modules into " + components + " components: "
                + modules.stream().map(Module::path).toList());
        }
        List<List<String>> lists = new ArrayList<>();
        int start = 0;
        for (int end : ends(modules.stream().mapToDouble(Module::cost).toArray(), components)) {
            lists.add(modules.subList(start, end).stream().map(Module::path).toList());
            start = end;
        }
        return new Cut("balanced-" + components, lists);
    }

    /** The modules of a graph that depend on the latents, in their order of execution. */
    private static List<Module> inOrder(Graph graph, StepDependence dependence, ToDoubleFunction<NodeProto> cost) {
        Map<String, Double> costs = new LinkedHashMap<>();
        Set<String> expensive = new HashSet<>();
        for (NodeProto node : TopologicalOrder.byDepth(graph)) {
            String path = ModulePath.of(node);
            if (dependence.changes(node) && !path.isEmpty()) {
                String module = ModulePath.unit(path);
                costs.merge(module, checked(cost.applyAsDouble(node), node), Double::sum);
                if (Ownership.mustHaveOwner(node)) {
                    expensive.add(module);
                }
            }
        }
        List<Module> modules = new ArrayList<>();
        costs.forEach((path, sum) -> {
            // What lies between the pieces of a block, such as a concatenation, is glue and no module.
            boolean glue = !expensive.contains(path)
                && costs.keySet().stream().anyMatch(other -> other.startsWith(path + "."));
            if (!glue) {
                modules.add(new Module(path, sum));
            }
        });
        return modules;
    }

    private static double checked(double cost, NodeProto node) {
        if (!(cost >= 0) || Double.isInfinite(cost)) {
            throw new IllegalArgumentException("the cost of node " + Nodes.label(node) + " is " + cost);
        }
        return cost;
    }

    /**
     * Ends of the parts: the linear partition problem, by dynamic programming over (parts, items). Of divisions that
     * are equally good, the one whose last parts are longest.
     */
    static List<Integer> ends(double[] costs, int parts) {
        int count = costs.length;
        double[] sums = new double[count + 1];
        for (int i = 0; i < count; i++) {
            sums[i + 1] = sums[i] + costs[i];
        }
        double[] largest = sums;
        List<int[]> starts = new ArrayList<>();
        for (int part = 2; part <= parts; part++) {
            double[] before = largest;
            double[] with = new double[count + 1];
            int[] lastStart = new int[count + 1];
            for (int end = part; end <= count; end++) {
                with[end] = Double.POSITIVE_INFINITY;
                for (int start = end - 1; start >= part - 1; start--) {
                    double candidate = Math.max(before[start], sums[end] - sums[start]);
                    if (candidate <= with[end]) {
                        with[end] = candidate;
                        lastStart[end] = start;
                    }
                }
            }
            largest = with;
            starts.add(lastStart);
        }
        List<Integer> ends = new ArrayList<>(List.of(count));
        for (int[] lastStart : starts.reversed()) {
            ends.add(lastStart[ends.getLast()]);
        }
        Collections.reverse(ends);
        return ends;
    }
}
