package dev.slipstream.pipelines.graph.fusion;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphPruner;
import dev.slipstream.pipelines.graph.build.Attributes;
import dev.slipstream.pipelines.graph.shape.SmallWeights;
import dev.slipstream.pipelines.graph.shape.ValueInfos;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Makes one node of each attention: ONNX Runtime's operator MultiHeadAttention. It works through the map of products
 * block by block and never holds it as a whole, as FlashAttention does.
 *
 * <p>Attention is found by what it computes, not by how an exporter writes it: heads may be an axis of their own or
 * lie in the batch, the factor may be at queries, keys or products, and any Reshapes and Transposes may stand between,
 * as long as queries, keys and values come from tensors in which the heads are side by side. What has a mask or
 * computes in fp16 stays as it is.
 *
 * @see <a href="https://arxiv.org/abs/2205.14135">Dao et al., FlashAttention</a>
 */
public final class AttentionFusion {
    private static final String DOMAIN = "com.microsoft";

    private final FixedTensors tensors;
    private final Graph graph;
    private final Map<String, NodeProto> made = new LinkedHashMap<>();
    private final Map<String, TensorProto> weights;
    private final Map<String, TypeProto> types;

    private AttentionFusion(Graph graph) {
        this.graph = graph;
        this.tensors = new FixedTensors(graph);
        this.weights = new LinkedHashMap<>(graph.weights());
        this.types = new LinkedHashMap<>(graph.types());
    }

    /**
     * The same computation; results differ by rounding. Inputs, outputs and all tensors that are left keep their names
     * and types; the new node is named after the product with the values, and thus of the same module.
     *
     * @param graph one with {@linkplain Graph#types types}, such as
     *     {@link dev.slipstream.pipelines.graph.shape.StaticShapes} makes
     */
    public static Graph fuse(Graph graph) {
        return new AttentionFusion(graph).fused();
    }

    private Graph fused() {
        graph.nodes().stream().filter(node -> node.getOpType().equals("Softmax"))
            .forEach(softmax -> Attention.around(softmax, tensors).ifPresent(this::write));
        if (made.isEmpty()) {
            return graph;
        }
        Set<String> makers = made.keySet();
        List<NodeProto> nodes = graph.nodes().stream().filter(node -> !makers.contains(node.getOutput(0)))
            .collect(Collectors.toCollection(ArrayList::new));
        nodes.addAll(made.values());
        return GraphPruner.prune(graph.with(graph.inputs(), graph.outputs(), nodes, weights).withTypes(types)
            .withOperatorSet(DOMAIN, 1));
    }

    private void write(Attention attention) {
        String name = attention.product().getOutput(0);
        HeadsLayout layout = attention.layout();
        List<Long> wanted = tensors.dims(attention.result()).orElseThrow();
        boolean fits = wanted.equals(layout.dims());
        String output = fits ? attention.result() : name + "/attention";
        add(NodeProto.newBuilder().setName(attention.product().getName() + "_attention").setDomain(DOMAIN)
            .setOpType("MultiHeadAttention").addInput(side(attention.query(), name + "/query"))
            .addInput(side(attention.key(), name + "/key")).addInput(side(attention.value(), name + "/value"))
            .addOutput(output).addAllAttribute(Attributes.NONE.integer("num_heads", layout.heads())
                .real("scale", attention.factor()).protos()).build(), layout.dims());
        if (!fits) {
            addReshape(output, attention.result(), wanted);
        }
    }

    /** The operand with its heads side by side. */
    private String side(HeadsOperand operand, String name) {
        List<Long> dims = operand.layout().dims();
        if (tensors.dims(operand.source()).filter(dims::equals).isPresent()) {
            return operand.source();
        }
        addReshape(operand.source(), name, dims);
        return name;
    }

    private void addReshape(String from, String to, List<Long> dims) {
        String shape = to + "/shape";
        weights.put(shape, SmallWeights.integers(shape, dims));
        add(NodeProto.newBuilder().setName(to).setOpType("Reshape").addInput(from).addInput(shape).addOutput(to)
            .build(), dims);
    }

    private void add(NodeProto node, List<Long> dims) {
        made.put(node.getOutput(0), node);
        types.put(node.getOutput(0), ValueInfos.of(node.getOutput(0), new TensorType(DataType.FLOAT32,
            Shape.of(dims.stream().mapToLong(Long::longValue).toArray()))).getType());
    }
}
