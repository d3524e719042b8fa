package dev.slipstream.pipelines.graph.pipe;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto.Dimension;
import ai.onnx.proto.OnnxMl.TypeProto;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.tensor.Constant;
import dev.slipstream.pipelines.graph.tensor.ConstantProtos;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Where the picture's tokens lie in each tensor of a graph with fixed shapes, followed from the latents on. What does
 * not depend on the latents has no layout, and neither has what depends on them only by attention, as the text of some
 * models does.
 */
final class TokenFlow {
    private static final Set<String> MOVING = Set.of("Transpose", "Reshape", "Unsqueeze", "Squeeze", "Cast", "Mul",
        "Div");

    private final Graph graph;
    private final Map<String, TensorType> types;
    private final long rows;
    private final Map<String, TokenLayout> layouts = new HashMap<>();
    private final Set<String> changing = new HashSet<>();
    private final Map<NodeProto, NodeFlow> flows = new IdentityHashMap<>();

    /**
     * @param graph with types of all tensors
     * @param sample the latents
     * @param axis along which they are divided
     * @param rows of tokens
     * @throws GraphException naming the node that cannot be computed in patches
     */
    TokenFlow(Graph graph, String sample, int axis, long rows) {
        this.graph = graph;
        this.types = ValueInfos.types(graph);
        this.rows = rows;
        layouts.put(sample, TokenLayout.ofPicture(axis, 1, dims(sample)[axis]));
        changing.add(sample);
        OperatorRules rules = new MixingRules(this);
        for (NodeProto node : graph.nodes()) {
            if (Nodes.reads(node).stream().anyMatch(layouts::containsKey)) {
                NodeFlow flow = rules.of(node);
                flows.put(node, flow);
                for (int i = 0; i < node.getOutputCount(); i++) {
                    String output = node.getOutput(i);
                    flow.outputs().get(i).ifPresent(layout -> layouts.put(output, layout));
                }
            }
            if (Nodes.reads(node).stream().anyMatch(changing::contains)) {
                changing.addAll(Nodes.writes(node));
            }
        }
    }

    Graph graph() {
        return graph;
    }

    /** Of tokens. */
    long rows() {
        return rows;
    }

    Optional<TokenLayout> layout(String tensor) {
        return Optional.ofNullable(layouts.get(tensor));
    }

    /** Whether a tensor depends on the latents. */
    boolean changes(String tensor) {
        return changing.contains(tensor);
    }

    boolean changes(NodeProto node) {
        return Nodes.writes(node).stream().anyMatch(changing::contains);
    }

    /** What becomes of tokens in a node; empty where it has none. */
    Optional<NodeFlow> flow(NodeProto node) {
        return Optional.ofNullable(flows.get(node));
    }

    TensorType type(String tensor) {
        return Objects.requireNonNull(types.get(tensor), () -> "the type of " + tensor);
    }

    /** @throws GraphException if they are not known */
    long[] dims(String tensor) {
        if (graph.weights().containsKey(tensor)) {
            return graph.weights().get(tensor).getDimsList().stream().mapToLong(Long::longValue).toArray();
        }
        TypeProto type = graph.types().get(tensor);
        if (type == null || !type.getTensorType().getShape().getDimList().stream().allMatch(Dimension::hasDimValue)) {
            throw new GraphException("the shape of tensor '" + tensor + "' is not known");
        }
        return type.getTensorType().getShape().getDimList().stream().mapToLong(Dimension::getDimValue).toArray();
    }

    /** The integers of a small constant. */
    Optional<long[]> integers(String tensor) {
        return Optional.ofNullable(graph.weights().get(tensor)).flatMap(ConstantProtos::read)
            .filter(constant -> !constant.type().element().isReal()).map(Constant::integers);
    }

    /**
     * Where keys or values are gathered: at the first tensor that has them, so that projections and positions are
     * worked out for a patch only.
     *
     * @param tensor in which a node reads them all
     */
    String site(String tensor) {
        return gatheredSource(tensor).map(this::site).orElse(tensor);
    }

    /** The tensors at which keys and values are gathered, in the order of the nodes that read them. */
    Set<String> sites() {
        Set<String> sites = new LinkedHashSet<>();
        graph.nodes().forEach(node -> flow(node).ifPresent(flow -> flow.operands().forEach((input, operand) -> {
            if (operand instanceof NodeFlow.Operand.Gathered) {
                sites.add(site(node.getInput(input)));
            }
        })));
        return sites;
    }

    /**
     * The tensor of which this one is another form with the same tokens, if it can be gathered as well. Not where rows
     * of the batch lie in the axis of the tokens: also with one row, lest it depends on how many there are.
     */
    Optional<String> gatheredSource(String tensor) {
        NodeProto maker = graph.producer(tensor).orElseThrow();
        NodeFlow flow = flows.get(maker);
        if (flow == null) {
            return Optional.empty();
        }
        boolean joins = maker.getOpType().equals("Concat") && layout(tensor).stream().anyMatch(layout ->
            !layout.isPicture());
        boolean moves = MOVING.contains(maker.getOpType())
            && flow.operands().values().stream().noneMatch(operand -> operand instanceof NodeFlow.Operand.Table);
        List<String> sources = maker.getInputList().stream().filter(layouts::containsKey).toList();
        return sources.size() != 1 || !joins && !moves ? Optional.empty() : Optional.of(sources.getFirst())
            .filter(source -> layout(source).filter(layout -> layout.outer() == 1 && layout.axis() > 0).isPresent());
    }
}
