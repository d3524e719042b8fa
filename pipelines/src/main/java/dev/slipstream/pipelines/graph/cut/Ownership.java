package dev.slipstream.pipelines.graph.cut;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.Nodes;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The component that each node belongs to. A node of no component is replicated into every segment that needs it:
 * nodes that do not change from step to step, and glue such as the concatenation of a skip.
 */
final class Ownership {
    /** What is too much work to do twice. */
    private static final Set<String> EXPENSIVE = Set.of("Conv", "ConvTranspose", "MatMul", "Gemm", "Einsum", "Softmax",
        "LayerNormalization", "InstanceNormalization", "GroupNormalization", "BatchNormalization", "RMSNormalization",
        "Attention");

    private final Map<NodeProto, Integer> owners = new IdentityHashMap<>();
    /** Of components the nodes of others that they do again for themselves. */
    private final Map<Integer, Set<NodeProto>> repeated = new HashMap<>();
    private final List<String> fresh;
    private final int components;

    private Ownership(List<String> fresh, int components) {
        this.fresh = fresh;
        this.components = components;
    }

    /** Owners by the modules that a cut lists. */
    static Ownership byModules(Graph graph, StepDependence dependence, Cut cut) {
        Map<String, Integer> components = new HashMap<>();
        for (int component = 0; component < cut.size(); component++) {
            for (String prefix : cut.components().get(component)) {
                components.put(prefix, component);
            }
        }
        checkMatches(graph, cut, components);
        for (String module : cut.fresh()) {
            components.put(module, -1 - cut.fresh().indexOf(module));
        }
        Ownership ownership = new Ownership(cut.fresh(), cut.size());
        for (NodeProto node : graph.nodes()) {
            if (dependence.changes(node)) {
                Optional<String> prefix = ModulePath.longestPrefix(ModulePath.of(node), components);
                if (prefix.isPresent()) {
                    ownership.owners.put(node, components.get(prefix.get()));
                } else if (mustHaveOwner(node)) {
                    throw new GraphException("node " + Nodes.label(node) + " (" + node.getOpType()
                        + ") belongs to no component of cut '" + cut.name() + "'; list its module in one");
                }
            }
        }
        for (int component = 0; component < cut.size(); component++) {
            if (ownership.isEmpty(component)) {
                throw new GraphException("component " + component + " of cut '" + cut.name() + "' would be empty: no "
                    + "node of " + cut.components().get(component) + " depends on the latents");
            }
        }
        return ownership;
    }

    private static void checkMatches(Graph graph, Cut cut, Map<String, Integer> components) {
        Set<String> unmatched = new HashSet<>(components.keySet());
        for (NodeProto node : graph.nodes()) {
            for (String path = ModulePath.of(node); !path.isEmpty(); path = ModulePath.parent(path)) {
                unmatched.remove(path);
            }
        }
        for (int component = 0; component < cut.size(); component++) {
            for (String prefix : cut.components().get(component)) {
                if (unmatched.contains(prefix)) {
                    throw new GraphException("'" + prefix + "' in component " + component + " of cut '" + cut.name()
                        + "' matches no node of the graph");
                }
            }
        }
    }

    /** Owners as a division says. */
    static Ownership of(Graph graph, StepDependence dependence, Division division) {
        return switch (division) {
            case Cut cut -> byModules(graph, dependence, cut);
            case TensorCut cut -> byTensors(graph, dependence, cut.ends(), cut.fresh())
                .as(cut.components(), cut.repeats());
            case ModulesApart modules -> apart(graph, dependence, List.of(), modules.components(graph));
        };
    }

    /** Owners by modules that are in no component; component 0 has the rest. */
    static Ownership apart(Graph graph, StepDependence dependence, List<String> modules) {
        Map<String, Integer> components = new HashMap<>();
        modules.forEach(module -> components.put(module, -1 - modules.indexOf(module)));
        return apart(graph, dependence, modules, components);
    }

    private static Ownership apart(Graph graph, StepDependence dependence, List<String> fresh,
        Map<String, Integer> components) {
        Ownership ownership = new Ownership(List.copyOf(fresh),
            1 + Math.max(0, components.values().stream().mapToInt(Integer::intValue).max().orElse(0)));
        graph.nodes().stream().filter(dependence::changes).forEach(node -> ownership.owners.put(node,
            ModulePath.longestPrefix(ModulePath.of(node), components).map(components::get).orElse(0)));
        return ownership;
    }

    /** The same owners with other numbers. @param repeats of those numbers, how many of these they do again */
    private Ownership as(List<Integer> numbers, Map<Integer, Integer> repeats) {
        Ownership renumbered = new Ownership(fresh, 1 + numbers.stream().mapToInt(Integer::intValue).max().orElse(0));
        owners.forEach((node, owner) -> renumbered.owners.put(node, owner < 0 ? owner : numbers.get(owner)));
        repeats.forEach((component, parts) -> {
            Set<NodeProto> again = Collections.newSetFromMap(new IdentityHashMap<>());
            owners.forEach((node, owner) -> {
                if (owner >= 0 && owner < parts && !StepDependence.isRandom(node)) {
                    again.add(node);
                }
            });
            renumbered.repeated.put(component, again);
        });
        return renumbered;
    }

    /** Owners by tensors: component k is what {@code ends.get(k)} need and no earlier one has; the last is the rest. */
    static Ownership byTensors(Graph graph, StepDependence dependence, List<List<String>> ends, List<String> fresh) {
        Ownership ownership = new Ownership(fresh, ends.size() + 1);
        Map<String, Integer> modules = new HashMap<>();
        fresh.forEach(module -> modules.put(module, -1 - fresh.indexOf(module)));
        graph.nodes().stream().filter(dependence::changes).forEach(node -> ModulePath.longestPrefix(
            ModulePath.of(node), modules).ifPresent(module -> ownership.owners.put(node, modules.get(module))));
        for (int component = 0; component < ends.size(); component++) {
            ownership.take(graph, dependence, component, ends.get(component));
            ownership.checkNotEmpty(component, ends.get(component));
        }
        for (NodeProto node : graph.nodes()) {
            if (dependence.changes(node)) {
                ownership.owners.putIfAbsent(node, ends.size());
            }
        }
        ownership.checkNotEmpty(ends.size(), List.of("the outputs"));
        return ownership;
    }

    /**
     * Owners by two cuts at once. What is in no component of one is in none of both, and nothing is done again: what is
     * would run at other steps than what its owner says.
     */
    Ownership crossedBy(Ownership other) {
        Ownership crossed = new Ownership(fresh, components * other.components);
        owners.forEach((node, own) -> {
            Integer others = other.owners.get(node);
            if (others != null) {
                crossed.owners.put(node, own < 0 || others < 0 ? Math.min(own, others)
                    : own * other.components + others);
            }
        });
        return crossed;
    }

    private void take(Graph graph, StepDependence dependence, int component, List<String> ends) {
        Deque<NodeProto> open = new ArrayDeque<>();
        for (String end : ends) {
            open.push(graph.producer(end).orElseThrow(() -> new GraphException("cut tensor '" + end + "' of component "
                + component + " is made by no node of the graph")));
        }
        while (!open.isEmpty()) {
            NodeProto node = open.pop();
            if (dependence.changes(node) && owners.putIfAbsent(node, component) == null) {
                Nodes.reads(node).stream().map(graph::producer).flatMap(Optional::stream).forEach(open::push);
            }
        }
    }

    private void checkNotEmpty(int component, List<String> ends) {
        if (isEmpty(component)) {
            throw new GraphException("component " + component + " would be empty: all that " + ends
                + " need is in earlier components or does not depend on the latents");
        }
    }

    private boolean isEmpty(int component) {
        return !owners.containsValue(component);
    }

    /** Whether a node that changes may not be replicated: it is expensive, or would give two values. */
    static boolean mustHaveOwner(NodeProto node) {
        // Of one operand, Einsum moves elements or adds them up.
        boolean product = !node.getOpType().equals("Einsum") || node.getInputCount() > 1;
        return EXPENSIVE.contains(node.getOpType()) && product || StepDependence.isRandom(node);
    }

    /** What segments of a component are called; those of negative ones are after the module that is in none. */
    String label(int component) {
        return component < 0 ? fresh.get(-1 - component) : "c" + component;
    }

    /** The component of a node, negative for a module that the cut puts in none; empty where it is replicated. */
    OptionalInt owner(NodeProto node) {
        Integer owner = owners.get(node);
        return owner == null ? OptionalInt.empty() : OptionalInt.of(owner);
    }

    /** Whether a component does a node of another again, in place of reading what it makes. */
    boolean isRepeated(NodeProto node, int component) {
        return repeated.getOrDefault(component, Set.of()).contains(node);
    }
}
