package dev.slipstream.pipelines.graph.fusion;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A norm of groups of channels, found in a graph: {@code (x - mean) / sqrt(variance + epsilon) * weight + bias}.
 *
 * @param norm the node that normalises
 * @param nodes all nodes that belong to it, in their order: nothing else reads what they make but the last
 * @param type of what is normalised, [rows, channels, ...]
 * @param weight one value a channel, or a group; empty for 1. {@code bias} likewise; empty for 0
 * @param weightsOfGroups whether weight and bias have one value a group
 */
public record GroupNorm(NodeProto norm, List<NodeProto> nodes, String input, TensorType type, long groups,
    float epsilon, Optional<String> weight, Optional<String> bias, boolean weightsOfGroups) {
    private static final float USUAL_EPSILON = 1e-5f;
    /** Before this operator set, GroupNormalization had one weight a group, too. */
    private static final long CHANNEL_WEIGHTS = 21;

    public GroupNorm {
        nodes = List.copyOf(nodes);
    }

    /**
     * All norms of a graph, in the order of their last nodes.
     *
     * @param graph one with {@linkplain Graph#types types}
     */
    public static List<GroupNorm> in(Graph graph) {
        Map<String, TensorType> types = ValueInfos.types(graph);
        FixedTensors tensors = new FixedTensors(graph);
        Map<NodeProto, GroupNorm> found = new IdentityHashMap<>();
        graph.nodes().stream().filter(Nodes::isStandard).forEach(node -> {
            GroupNorm norm = switch (node.getOpType()) {
                case "InstanceNormalization" -> written(node, tensors, types);
                case "GroupNormalization" -> of(node, types.get(node.getInput(0)),
                    Nodes.integer(node, "num_groups", 1), graph.opset() < CHANNEL_WEIGHTS);
                default -> null;
            };
            if (norm != null) {
                found.put(norm.nodes.getLast(), norm);
            }
        });
        return graph.nodes().stream().filter(found::containsKey).map(found::get).toList();
    }

    /** A node that is all of a norm. */
    private static GroupNorm of(NodeProto node, TensorType type, long groups, boolean weightsOfGroups) {
        return new GroupNorm(node, List.of(node), node.getInput(0), type, groups, epsilon(node),
            input(node, 1), input(node, 2), weightsOfGroups);
    }

    private static float epsilon(NodeProto node) {
        return Nodes.attribute(node, "epsilon").map(AttributeProto::getF).orElse(USUAL_EPSILON);
    }

    private static Optional<String> input(NodeProto node, int index) {
        return node.getInputCount() > index ? Optional.of(node.getInput(index)).filter(name -> !name.isEmpty())
            : Optional.empty();
    }

    /**
     * One that exporters write out: channels are reshaped to groups, each group is normalised for itself, and weights
     * of channels follow.
     */
    private static GroupNorm written(NodeProto node, FixedTensors tensors, Map<String, TensorType> types) {
        TensorType grouped = types.get(node.getInput(0));
        GroupNorm bare = of(node, grouped, grouped.shape().dim(1), true);
        Optional<NodeProto> apart = tensors.producer(node.getInput(0)).filter(it -> it.getOpType().equals("Reshape"));
        Optional<TensorType> channels = apart.map(it -> types.get(it.getInput(0)));
        Optional<NodeProto> back = tensors.onlyReader(node.getOutput(0))
            .filter(it -> it.getOpType().equals("Reshape"));
        boolean plain = input(node, 1).filter(weight -> tensors.isAll(weight, 1)).isPresent()
            && input(node, 2).filter(weight -> tensors.isAll(weight, 0)).isPresent();
        if (!plain || channels.isEmpty() || back.isEmpty() || !channels.get().equals(types.get(back.get().getOutput(0)))
            || channels.get().shape().rank() < 3 || !isOfGroups(channels.get(), grouped)) {
            return bare;
        }
        List<NodeProto> nodes = new ArrayList<>();
        if (tensors.onlyReader(node.getInput(0)).isPresent()) {
            nodes.add(apart.get());
        }
        Collections.addAll(nodes, node, back.get());
        Map<String, String> weights = new LinkedHashMap<>();
        for (String operator : List.of("Mul", "Add")) {
            String made = nodes.getLast().getOutput(0);
            tensors.onlyReader(made).filter(it -> it.getOpType().equals(operator)).ifPresent(it ->
                ofChannels(it, made, channels.get(), tensors).ifPresent(weight -> {
                    nodes.add(it);
                    weights.put(operator, weight);
                }));
        }
        return new GroupNorm(node, nodes, apart.get().getInput(0), channels.get(), bare.groups, bare.epsilon,
            Optional.ofNullable(weights.get("Mul")), Optional.ofNullable(weights.get("Add")), false);
    }

    private static boolean isOfGroups(TensorType channels, TensorType grouped) {
        return channels.shape().dim(0) == grouped.shape().dim(0) && grouped.shape().rank() == 3
            && channels.shape().dim(1) % grouped.shape().dim(1) == 0;
    }

    /** The other operand of a node, if that is a weight with one value a channel. */
    private static Optional<String> ofChannels(NodeProto node, String one, TensorType type, FixedTensors tensors) {
        String other = node.getInput(node.getInput(0).equals(one) ? 1 : 0);
        long after = type.shape().rank() - 2L;
        return tensors.anyDims(other).filter(dims -> dims.size() > after
            && dims.get((int) (dims.size() - 1 - after)) == type.shape().dim(1)
            && dims.stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact) == type.shape().dim(1)
            && dims.size() <= type.shape().rank()).map(dims -> other);
    }

    /** The nodes that belong to norms. */
    public static Set<NodeProto> nodes(List<GroupNorm> norms) {
        Set<NodeProto> all = Collections.newSetFromMap(new IdentityHashMap<>());
        norms.forEach(norm -> all.addAll(norm.nodes));
        return all;
    }

    /** What the last node makes. */
    public String output() {
        return nodes.getLast().getOutput(0);
    }
}
