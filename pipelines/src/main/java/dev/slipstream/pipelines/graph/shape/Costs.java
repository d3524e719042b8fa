package dev.slipstream.pipelines.graph.shape;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.shape.rule.Einsum;
import dev.slipstream.pipelines.graph.tensor.ConstantProtos;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import dev.slipstream.pipelines.graph.tensor.ValueType;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToDoubleFunction;

/**
 * How much work each node of a graph is: a prediction good enough to cut a graph into parts of like size before
 * anything is built. As in the roofline model, a node takes as long as the longer of its arithmetic and
 * its memory traffic. Engines fuse what works element by element into the node before it, and the products of an
 * attention with the softmax between them, so these move nothing. The unit is one multiply-accumulate. Immutable.
 *
 * @see <a href="https://doi.org/10.1145/1498765.1498785">Williams et al., Roofline</a>
 * @see <a href="https://arxiv.org/abs/2205.14135">Dao et al., FlashAttention</a>
 */
public final class Costs implements ToDoubleFunction<NodeProto> {
    /**
     * Multiply-accumulates that a device does while it moves one byte: about 3 on a CPU core and 50 to 100 on a data
     * centre GPU in half precision. Between the two only the weight of cheap nodes differs.
     */
    public static final double DEFAULT_INTENSITY = 10;

    /** Attention as one operator, as {@link dev.slipstream.pipelines.graph.fusion.AttentionFusion} makes it. */
    public static final String ATTENTION = "MultiHeadAttention";

    private static final Set<String> VIEWS = Set.of("Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity", "Shape",
        "Size", "Constant", "Dropout");
    /** Of a table they read only what they give out. */
    private static final Set<String> PICKING = Set.of("Gather", "GatherElements", "GatherND", "Slice", "Split");

    private static final Set<String> POINTWISE = Set.of("Abs", "Add", "Cast", "Clip", "Cos", "Div", "Erf", "Exp",
        "Gelu", "HardSigmoid", "Log", "Mul", "Neg", "Pow", "Reciprocal", "Relu", "Sigmoid", "Sin", "Softplus", "Sqrt",
        "Sub", "Tanh", "Where");
    private static final String SOFTMAX = "Softmax";

    /** What an engine makes part of another node, so that what it reads or makes stays on the chip. */
    private final Set<NodeProto> fused;
    private final Map<String, TensorType> types;
    private final Map<String, ValueType> weights = new HashMap<>();
    private final double intensity;
    private final long batch;

    private Costs(Graph graph, double intensity, long batch) {
        this.fused = fused(graph);
        this.types = ValueInfos.types(graph);
        this.intensity = intensity;
        this.batch = batch;
        for (Map.Entry<String, TensorProto> weight : graph.weights().entrySet()) {
            ConstantProtos.type(weight.getValue()).ifPresent(type -> weights.put(weight.getKey(), type));
        }
    }

    /** @param graph one with {@linkplain Graph#types types}, such as {@link StaticShapes} makes */
    public static Costs of(Graph graph) {
        return of(graph, DEFAULT_INTENSITY);
    }

    /** @param intensity multiply-accumulates that the device does while it moves one byte */
    public static Costs of(Graph graph, double intensity) {
        return new Costs(graph, intensity, 1);
    }

    /**
     * The costs of one item of a batch, as if the graph were for that alone, so that it is cut likewise.
     *
     * @param graph as for {@link #of(Graph)}
     * @param batch how many items the graph computes at once
     */
    public static Costs ofItem(Graph graph, long batch) {
        return new Costs(graph, DEFAULT_INTENSITY, batch);
    }

    /**
     * What the node costs, in multiply-accumulates.
     *
     * @throws GraphException if the type of a tensor that it reads or makes is not known
     */
    @Override
    public double applyAsDouble(NodeProto node) {
        return fused.contains(node) ? multiplyAccumulates(node)
            : Math.max(multiplyAccumulates(node), intensity * bytesMoved(node));
    }

    /** Multiply-accumulates of products and convolutions; 0 for all other operators. */
    public double multiplyAccumulates(NodeProto node) {
        return products(node) / batch;
    }

    /**
     * Multiply-accumulates of one run of a graph.
     *
     * @param graph as for {@link #of(Graph)}; the graph of a segment knows the types of its tensors, too
     */
    public static double multiplyAccumulates(Graph graph) {
        Costs costs = of(graph);
        return graph.nodes().stream().mapToDouble(costs::multiplyAccumulates).sum();
    }

    private static Set<NodeProto> fused(Graph graph) {
        Set<NodeProto> fused = Collections.newSetFromMap(new IdentityHashMap<>());
        Set<NodeProto> scores = Collections.newSetFromMap(new IdentityHashMap<>());
        for (NodeProto node : graph.nodes()) {
            boolean softmax = node.getOpType().equals(SOFTMAX);
            List<NodeProto> makers = Nodes.reads(node).stream().map(graph::producer).flatMap(Optional::stream).toList();
            if ((softmax || POINTWISE.contains(node.getOpType())) && !makers.isEmpty()) {
                fused.add(node);
            }
            boolean readsScores = makers.stream().anyMatch(scores::contains);
            if (softmax || readsScores && node.getOpType().equals("Cast")) {
                scores.add(node);
            } else if (readsScores && node.getOpType().equals("MatMul")) {
                fused.add(node);
            }
        }
        scores.clear();
        for (NodeProto node : graph.nodes().reversed()) {
            boolean scored = Nodes.writes(node).stream().flatMap(tensor -> graph.consumers(tensor).stream())
                .anyMatch(reader -> reader.getOpType().equals(SOFTMAX) || scores.contains(reader));
            if (scored && POINTWISE.contains(node.getOpType())) {
                scores.add(node);
            } else if (scored && node.getOpType().equals("MatMul")) {
                fused.add(node);
            }
        }
        return fused;
    }

    private double products(NodeProto node) {
        return switch (node.getOpType()) {
            case "Conv" -> elements(node.getOutput(0)) * perChannel(node, 1);
            case "ConvTranspose" -> elements(node.getInput(0)) * perChannel(node, 1);
            case "MatMul" -> elements(node.getOutput(0)) * type(node.getInput(0)).shape().dim(-1);
            case "Gemm" -> elements(node.getOutput(0))
                * type(node.getInput(0)).shape().dim(Nodes.integer(node, "transA", 0) == 0 ? 1 : 0);
            case "Einsum" -> einsum(node);
            // Queries [batch, tokens, channels], keys and values with tokens of their own.
            case ATTENTION -> (elements(node.getInput(0)) + elements(node.getOutput(0)))
                * type(node.getInput(1)).shape().dim(1);
            default -> 0;
        };
    }

    /** Bytes that the node reads and writes, at least; 0 for operators that only look at their input differently. */
    public double bytesMoved(NodeProto node) {
        if (VIEWS.contains(node.getOpType())) {
            return 0;
        }
        double bytes = 0;
        for (String output : Nodes.writes(node)) {
            bytes += bytes(output);
        }
        if (PICKING.contains(node.getOpType())) {
            return 2 * bytes;
        }
        for (String input : new HashSet<>(Nodes.reads(node))) {
            bytes += bytes(input);
        }
        return bytes;
    }

    /** Elements of a weight for each channel of its first dimension: what one output (or input) element meets. */
    private double perChannel(NodeProto node, int weight) {
        ValueType type = type(node.getInput(weight));
        return (double) type.elements() / type.shape().dim(0);
    }

    private double einsum(NodeProto node) {
        String equation = Nodes.attribute(node, "equation").orElseThrow().getS().toStringUtf8();
        return Einsum.of(equation, node.getInputList().stream().map(input -> type(input).dims()).toList()).products();
    }

    private double elements(String tensor) {
        return type(tensor).elements();
    }

    private double bytes(String tensor) {
        ValueType type = type(tensor);
        double bytes = (double) type.elements() * type.element().bytes();
        // Weights are read as a whole for each item.
        return types.containsKey(tensor) ? bytes / batch : bytes;
    }

    private ValueType type(String tensor) {
        TensorType type = types.get(tensor);
        ValueType found = type == null ? weights.get(tensor) : ValueType.of(type);
        if (found == null) {
            throw new GraphException("the type of tensor '" + tensor + "' is not known; fix the graph's shapes first");
        }
        return found;
    }
}
