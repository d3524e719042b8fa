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
import dev.slipstream.pipelines.graph.tensor.ConstantProtos;
import dev.slipstream.pipelines.graph.tensor.ElementType;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
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
 * as long as queries, keys and values come from tensors in which the heads are side by side. A mask may say which keys
 * count, the same for all queries, or what each head adds for a query and a key; one that is the same for all heads,
 * and not for all queries, is left as it is. Attention in fp16 becomes fp32, which is how ONNX Runtime computes it on
 * CPUs anyhow.
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
        HeadedAttention.in(graph).forEach(this::write);
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

    private void write(HeadedAttention attention) {
        String name = attention.product().getOutput(0);
        HeadsLayout layout = attention.layout();
        NodeProto.Builder fused = NodeProto.newBuilder().setName(attention.product().getName() + "_attention")
            .setDomain(DOMAIN).setOpType("MultiHeadAttention").addInput(side(attention.query(), name + "/query"))
            .addInput(side(attention.key(), name + "/key")).addInput(side(attention.value(), name + "/value"));
        attention.mask().ifPresent(mask -> fused.addInput("").addInput("").addInput(expanded(mask, attention)));
        boolean half = tensors.isHalf(attention.result());
        List<Long> wanted = tensors.dims(attention.result()).orElseThrow();
        boolean fits = wanted.equals(layout.dims());
        String output = fits && !half ? attention.result() : name + "/attention";
        add(fused.addOutput(output).addAllAttribute(Attributes.NONE.integer("num_heads", layout.heads())
            .real("scale", attention.factor()).protos()).build(), layout.dims(), DataType.FLOAT32);
        if (half) {
            String narrow = fits ? attention.result() : output + "/narrow";
            addCast(output, narrow, layout.dims(), DataType.FLOAT16);
            output = narrow;
        }
        if (!fits) {
            addReshape(output, attention.result(), wanted, half ? DataType.FLOAT16 : DataType.FLOAT32);
        }
    }

    /** The operand with its heads side by side, in fp32. */
    private String side(HeadedAttention.Operand operand, String name) {
        List<Long> dims = operand.layout().dims();
        String source = wide(operand.source());
        if (tensors.dims(operand.source()).filter(dims::equals).isPresent()) {
            return source;
        }
        addReshape(source, name, dims, DataType.FLOAT32);
        return name;
    }

    /** A tensor in fp32. */
    private String wide(String tensor) {
        if (!tensors.isHalf(tensor)) {
            return tensor;
        }
        String wide = tensor + "/wide";
        addCast(tensor, wide, tensors.dims(tensor).orElseThrow(), DataType.FLOAT32);
        return wide;
    }

    /** The mask as the operator takes it: [rows or 1, heads or 1, queries, keys]. One serves all layers. */
    private String expanded(String mask, HeadedAttention attention) {
        HeadsLayout layout = attention.layout();
        List<Long> scores = attention.scores();
        List<Long> dims = new ArrayList<>(tensors.dims(mask).orElseThrow());
        while (dims.size() < scores.size()) {
            dims.addFirst(1L);
        }
        boolean alone = dims.subList(0, dims.size() - 2).stream().allMatch(size -> size == 1);
        long keys = scores.getLast();
        List<Long> product = List.of(layout.rows(), layout.heads(), layout.tokens(), keys);
        List<Long> target = alone ? List.of(1L, 1L, layout.tokens(), keys)
            : scores.equals(product) ? List.of(dims.get(0), dims.get(1), layout.tokens(), keys) : scores;
        String name = mask + "/" + target.stream().map(String::valueOf).collect(Collectors.joining("x"));
        String shape = name + "/shape";
        weights.put(shape, ConstantProtos.integers(shape, target));
        add(NodeProto.newBuilder().setName(name).setOpType("Expand").addInput(wide(mask)).addInput(shape)
            .addOutput(name).build(), target, DataType.FLOAT32);
        if (alone || scores.equals(product)) {
            return name;
        }
        addReshape(name, name + "/heads", product, DataType.FLOAT32);
        return name + "/heads";
    }

    private void addCast(String from, String to, List<Long> dims, DataType type) {
        add(NodeProto.newBuilder().setName(to).setOpType("Cast").addInput(from).addOutput(to)
            .addAllAttribute(Attributes.NONE.integer("to", ElementType.of(type).code()).protos()).build(), dims, type);
    }

    private void addReshape(String from, String to, List<Long> dims, DataType type) {
        String shape = to + "/shape";
        weights.put(shape, ConstantProtos.integers(shape, dims));
        add(NodeProto.newBuilder().setName(to).setOpType("Reshape").addInput(from).addInput(shape).addOutput(to)
            .build(), dims, type);
    }

    private void add(NodeProto node, List<Long> dims, DataType type) {
        made.put(node.getOutput(0), node);
        types.put(node.getOutput(0), ValueInfos.of(node.getOutput(0), new TensorType(type,
            Shape.of(dims.stream().mapToLong(Long::longValue).toArray()))).getType());
    }
}
