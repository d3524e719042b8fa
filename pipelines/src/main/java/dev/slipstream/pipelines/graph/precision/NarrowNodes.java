package dev.slipstream.pipelines.graph.precision;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import dev.slipstream.pipelines.graph.ElementTypes;
import dev.slipstream.pipelines.graph.Graph;
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
import java.util.Set;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The nodes that compute in the narrow type, by {@link OperatorRole} and by what they stand beside.
 *
 * <p>Exporters spell normalisations out: {@code (x - mean(x)) / sqrt(mean(...) + eps) * weight + bias}. So arithmetic
 * with a statistic stays wide, and so does the scaling of a normalised value by constants that follows.
 */
final class NarrowNodes {
    private static final Logger LOG = LoggerFactory.getLogger(NarrowNodes.class);

    /** What is known of how a value came about. */
    private enum Origin {
        OTHER, CONSTANT, STATISTIC, NORMALIZED
    }

    private final Graph graph;
    private final ElementTypes types;
    private final Set<String> wideOutputs;
    private final Predicate<String> fits;
    private final Map<String, Origin> origins = new HashMap<>();
    /** Tensors with values that the narrow type cannot hold. */
    private final Set<String> large = new HashSet<>();
    private final Set<NodeProto> narrow = identitySet();

    /**
     * @param wideOutputs outputs of the graph that stay float32
     * @param fits whether the narrow type holds all values of a weight
     */
    NarrowNodes(Graph graph, ElementTypes types, Set<String> wideOutputs, Predicate<String> fits) {
        this.wideOutputs = wideOutputs;
        this.graph = graph;
        this.types = types;
        this.fits = fits;
        graph.weights().keySet().forEach(weight -> origins.put(weight, Origin.CONSTANT));
        graph.nodes().forEach(this::trace);
        Set<NodeProto> wide = beforeWaves();
        for (NodeProto node : graph.nodes()) {
            boolean kept = readsLarge(node) || wide.contains(node) || isNormalization(node);
            if (!kept && makesFloats(node) && !isWideRole(node)) {
                narrow.add(node);
            }
        }
        widenWhatMovesBetweenWide();
    }

    boolean contains(NodeProto node) {
        return narrow.contains(node);
    }

    private static Set<NodeProto> identitySet() {
        return Collections.newSetFromMap(new IdentityHashMap<>());
    }

    private static boolean isWideRole(NodeProto node) {
        return switch (OperatorRole.of(node)) {
            case STATISTIC, NORMALIZING, WAVE, WIDE -> true;
            case NARROW, ARITHMETIC, MOVING -> false;
        };
    }

    private boolean makesFloats(NodeProto node) {
        return Nodes.writes(node).stream().anyMatch(this::isFloat);
    }

    private boolean isFloat(String tensor) {
        return types.of(tensor) == DataType.FLOAT_VALUE;
    }

    private Origin origin(String tensor) {
        return origins.getOrDefault(tensor, Origin.OTHER);
    }

    private List<Origin> operands(NodeProto node) {
        return Nodes.reads(node).stream().filter(this::isFloat).map(this::origin).toList();
    }

    private void trace(NodeProto node) {
        List<String> reads = Nodes.reads(node);
        boolean constant = !reads.isEmpty() && reads.stream().allMatch(it -> origin(it) == Origin.CONSTANT);
        Origin result = constant ? Origin.CONSTANT : result(node);
        Nodes.writes(node).forEach(tensor -> origins.put(tensor, result));
    }

    private Origin result(NodeProto node) {
        List<Origin> varying = operands(node).stream().filter(it -> it != Origin.CONSTANT).distinct().toList();
        return switch (OperatorRole.of(node)) {
            case STATISTIC -> Origin.STATISTIC;
            case NORMALIZING -> Origin.NORMALIZED;
            case MOVING -> varying.size() == 1 ? varying.getFirst() : Origin.OTHER;
            case ARITHMETIC -> {
                boolean onlyStatistics = varying.equals(List.of(Origin.STATISTIC));
                yield isSquare(node) || onlyStatistics ? Origin.STATISTIC
                    : isNormalization(node) ? Origin.NORMALIZED : Origin.OTHER;
            }
            case NARROW, WAVE, WIDE -> Origin.OTHER;
        };
    }

    /** Whether it is a step of a normalisation that is spelled out. */
    private boolean isNormalization(NodeProto node) {
        List<Origin> varying = operands(node).stream().filter(it -> it != Origin.CONSTANT).toList();
        boolean scales = varying.equals(List.of(Origin.NORMALIZED));
        return OperatorRole.of(node) == OperatorRole.ARITHMETIC
            && (isSquare(node) || varying.contains(Origin.STATISTIC) || scales);
    }

    private static boolean isSquare(NodeProto node) {
        return node.getOpType().equals("Mul") && node.getInputCount() == 2
            && node.getInput(0).equals(node.getInput(1));
    }

    /** Scalings and views of one value, from the timestep to its sines. */
    private Set<NodeProto> beforeWaves() {
        Set<NodeProto> found = identitySet();
        Deque<String> open = new ArrayDeque<>();
        graph.nodes().stream().filter(node -> OperatorRole.of(node) == OperatorRole.WAVE)
            .forEach(node -> open.addAll(Nodes.reads(node)));
        while (!open.isEmpty()) {
            graph.producer(open.pop()).filter(this::handsOnOneValue).filter(found::add)
                .ifPresent(node -> open.addAll(Nodes.reads(node)));
        }
        return found;
    }

    private boolean handsOnOneValue(NodeProto node) {
        OperatorRole role = OperatorRole.of(node);
        return (role == OperatorRole.ARITHMETIC || role == OperatorRole.MOVING) && makesFloats(node)
            && operands(node).stream().filter(it -> it != Origin.CONSTANT).count() == 1;
    }

    /** Whether it reads values that the narrow type cannot hold; what hands them on makes such values, too. */
    private boolean readsLarge(NodeProto node) {
        Optional<String> unfit = isWideRole(node) ? Optional.empty() : Nodes.reads(node).stream()
            .filter(this::isFloat).filter(it -> large.contains(it) || !weight(it).map(fits::test).orElse(true))
            .findFirst();
        unfit.ifPresent(tensor -> {
            if (OperatorRole.of(node) != OperatorRole.NARROW) {
                large.addAll(Nodes.writes(node));
            }
            LOG.info("node {} stays fp32: '{}' has values that the narrow type cannot hold", Nodes.label(node), tensor);
        });
        return unfit.isPresent();
    }

    /** The weight that a tensor is, or is a cast of. */
    private Optional<String> weight(String tensor) {
        String stored = graph.producer(tensor).filter(maker -> maker.getOpType().equals("Cast"))
            .map(maker -> maker.getInput(0)).orElse(tensor);
        boolean real = isFloat(stored) || StoredFloats.isHalf(types.of(stored));
        return real && graph.weights().containsKey(stored) ? Optional.of(stored) : Optional.empty();
    }

    /** What hands a wide value to a wide node is wide; others read a cast behind it. */
    private void widenWhatMovesBetweenWide() {
        Set<NodeProto> forWide = identitySet();
        for (NodeProto node : graph.nodes().reversed()) {
            boolean readWide = Nodes.writes(node).stream().anyMatch(tensor -> wideOutputs.contains(tensor)
                || graph.consumers(tensor).stream().anyMatch(it -> !narrow.contains(it) || forWide.contains(it)));
            if (OperatorRole.of(node) == OperatorRole.MOVING && readWide) {
                forWide.add(node);
            }
        }
        for (NodeProto node : graph.nodes()) {
            List<String> varying = Nodes.reads(node).stream().filter(this::isFloat)
                .filter(tensor -> origin(tensor) != Origin.CONSTANT).toList();
            if (forWide.contains(node) && (varying.isEmpty() || varying.stream().anyMatch(this::isMadeWide))) {
                narrow.remove(node);
            }
        }
    }

    private boolean isMadeWide(String tensor) {
        return graph.producer(tensor).map(maker -> !narrow.contains(maker)).orElse(true);
    }
}
