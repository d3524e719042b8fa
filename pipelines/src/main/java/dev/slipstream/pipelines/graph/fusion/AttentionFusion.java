package dev.slipstream.pipelines.graph.fusion;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphPruner;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.build.Attributes;
import dev.slipstream.pipelines.graph.fusion.StridedView.HeadsLayout;
import dev.slipstream.pipelines.graph.fusion.StridedView.ViewStep;
import dev.slipstream.pipelines.graph.tensor.ConstantProtos;
import dev.slipstream.pipelines.graph.tensor.ElementType;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
    private String side(HeadsOperand operand, String name) {
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
    private String expanded(String mask, Attention attention) {
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

    /**
     * Attention in heads, found in a graph: {@code softmax(factor · q · kᵀ + mask) · v}.
     *
     * @param mask a tensor that broadcasts to {@code scores}
     * @param scores dimensions of the products of queries and keys
     * @param product the node that multiplies by the values
     * @param layout sizes of what comes out
     * @param result the last tensor that only holds the product in another form: with its heads side by side
     */
    private record Attention(HeadsOperand query, HeadsOperand key, HeadsOperand value, double factor,
        Optional<String> mask, List<Long> scores, NodeProto product, HeadsLayout layout, String result) {

        /** The attention around a Softmax; empty if it is around nothing that fits. */
        static Optional<Attention> around(NodeProto softmax, FixedTensors tensors) {
            String weights = cast(softmax.getOutput(0), tensors);
            Optional<NodeProto> product = tensors.onlyReader(weights).filter(Attention::isProduct)
                .filter(node -> node.getInput(0).equals(weights) && !node.getInput(1).equals(weights));
            if (product.isEmpty() || !isOverLastAxis(softmax, tensors)) {
                return Optional.empty();
            }
            Scaled scores = Scaled.of(softmax.getInput(0), tensors);
            Optional<Masked> masked = scores.factor() == 1 ? Masked.of(scores.tensor(), tensors) : Optional.empty();
            Scaled plain = masked.map(it -> Scaled.of(it.scores(), tensors)).orElse(scores);
            Optional<NodeProto> scored = tensors.producer(plain.tensor()).filter(Attention::isProduct);
            return tensors.onlyReader(plain.tensor()).isEmpty() || scored.isEmpty() ? Optional.empty()
                : of(scored.get(), plain.factor(), masked.map(Masked::mask), product.get(), tensors);
        }

        /** Follows casts of a tensor to what is read otherwise. */
        private static String cast(String tensor, FixedTensors tensors) {
            Optional<String> cast = tensors.onlyReader(tensor).filter(reader -> reader.getOpType().equals("Cast"))
                .map(reader -> reader.getOutput(0)).filter(made -> tensors.dims(made).isPresent());
            return cast.map(made -> cast(made, tensors)).orElse(tensor);
        }

        private static boolean isOverLastAxis(NodeProto softmax, FixedTensors tensors) {
            long axis = Nodes.integer(softmax, "axis", tensors.opset() >= 13 ? -1 : 1);
            return Nodes.is(softmax, "Softmax", 1)
                && tensors.dims(softmax.getInput(0)).filter(dims -> axis == -1 || axis == dims.size() - 1).isPresent();
        }

        private static boolean isProduct(NodeProto node) {
            return Nodes.is(node, "MatMul", 2);
        }

        private static Optional<Attention> of(NodeProto scored, double factor, Optional<String> mask,
            NodeProto product, FixedTensors tensors) {
            Optional<List<Long>> scores = tensors.dims(scored.getOutput(0));
            if (scores.isEmpty()) {
                return Optional.empty();
            }
            // The same heads may lie in the rows of one operand and side by side in another.
            List<HeadsOperand> queries = HeadsOperand.trace(scored.getInput(0), false, tensors);
            List<HeadsOperand> keys = HeadsOperand.trace(scored.getInput(1), true, tensors);
            List<HeadsOperand> values = HeadsOperand.trace(product.getInput(1), false, tensors);
            for (HeadsOperand query : queries) {
                for (HeadsOperand key : keys) {
                    for (HeadsOperand value : values) {
                        Optional<Attention> found = query.layout().attending(key.layout(), value.layout())
                            .flatMap(layout -> result(product.getOutput(0), layout, tensors).flatMap(result ->
                                new Attention(query, key, value, factor * query.factor() * key.factor(), mask,
                                    scores.get(), product, layout, result).ifItCanBeSaid()));
                        if (found.isPresent()) {
                            return found;
                        }
                    }
                }
            }
            return Optional.empty();
        }

        /** The operator takes a factor of 0 for "not said". */
        private Optional<Attention> ifItCanBeSaid() {
            boolean can = (float) factor != 0 && Float.isFinite((float) factor) && value.factor() == 1;
            return can ? Optional.of(this) : Optional.empty();
        }

        /** Follows the product for as long as it only changes its form. Empty if its heads never come side by side. */
        private static Optional<String> result(String product, HeadsLayout layout, FixedTensors tensors) {
            Optional<String> result = Optional.empty();
            Optional<StridedView> view = tensors.dims(product).map(StridedView::of);
            String tensor = product;
            while (view.isPresent()) {
                StridedView seen = view.get();
                if (seen.flat().equals(layout.tokensFirst().flat())) {
                    result = Optional.of(tensor);
                }
                Optional<ViewStep> step = tensors.onlyReader(tensor).flatMap(reader -> ViewStep.of(reader, tensors))
                    .filter(next -> !next.keepsPlaces());
                view = step.flatMap(next -> next.apply(seen));
                tensor = step.map(next -> next.node().getOutput(0)).orElse(tensor);
            }
            return result;
        }
    }

    /**
     * What was scaled, or cast, to become a tensor that nothing else reads.
     *
     * @param factor by which it was scaled
     */
    private record Scaled(String tensor, double factor) {
        static Scaled of(String tensor, FixedTensors tensors) {
            Optional<ViewStep> step = tensors.onlyReader(tensor).flatMap(reader -> ViewStep.to(tensor, tensors))
                .filter(ViewStep::keepsPlaces);
            if (step.isEmpty()) {
                return new Scaled(tensor, 1);
            }
            Scaled before = of(step.get().input(), tensors);
            return new Scaled(before.tensor, before.factor * step.get().factor());
        }
    }

    /** A sum of products of queries and keys and of a mask. */
    private record Masked(String scores, String mask) {
        static Optional<Masked> of(String sum, FixedTensors tensors) {
            Optional<NodeProto> add = tensors.producer(sum)
                .filter(node -> Nodes.is(node, "Add", 2) && tensors.onlyReader(sum).isPresent());
            return add.flatMap(node -> of(node, 0, tensors).or(() -> of(node, 1, tensors)));
        }

        /** @param mask which operand is the mask */
        private static Optional<Masked> of(NodeProto add, int mask, FixedTensors tensors) {
            Masked masked = new Masked(add.getInput(1 - mask), add.getInput(mask));
            Optional<List<Long>> dims = tensors.dims(add.getOutput(0));
            boolean fits = dims.isPresent() && tensors.dims(masked.scores).equals(dims)
                && tensors.producer(Scaled.of(masked.scores, tensors).tensor()).filter(Attention::isProduct).isPresent()
                && tensors.dims(masked.mask).filter(its -> isForKeys(its, dims.get()) || isForHeads(its, dims.get()))
                    .isPresent();
            return fits ? Optional.of(masked) : Optional.empty();
        }

        /** Whether each head has a number for each query and key, as where their distance counts. */
        private static boolean isForHeads(List<Long> mask, List<Long> scores) {
            int rank = mask.size();
            return rank >= 3 && rank <= scores.size() && mask.get(rank - 3) > 1
                && mask.subList(rank - 3, rank).equals(scores.subList(scores.size() - 3, scores.size()));
        }

        /** Whether it has one number for each key, and none for each of several queries. */
        private static boolean isForKeys(List<Long> mask, List<Long> scores) {
            int rank = mask.size();
            return rank > 0 && rank <= scores.size() && (rank == 1 || mask.get(rank - 2) == 1)
                && mask.getLast().equals(scores.getLast());
        }
    }

    /**
     * What a product of an attention reads, traced back to a tensor that holds the heads side by side.
     *
     * @param source the tensor; in memory, it is [rows, tokens, heads · width]
     * @param factor what the operand is multiplied by on the way
     */
    private record HeadsOperand(String source, HeadsLayout layout, double factor) {
        /**
         * All such sources of an operand [.., tokens, width], the farthest first.
         *
         * @param turned whether the operand is [.., width, tokens], as keys are
         */
        static List<HeadsOperand> trace(String operand, boolean turned, FixedTensors tensors) {
            List<ViewStep> steps = new ArrayList<>();
            Optional<ViewStep> next = ViewStep.to(operand, tensors);
            while (next.isPresent()) {
                steps.add(next.get());
                next = ViewStep.to(next.get().input(), tensors);
            }
            List<HeadsOperand> found = new ArrayList<>();
            for (int taken = steps.size(); taken >= 0; taken--) {
                List<ViewStep> path = steps.subList(0, taken);
                String source = taken == 0 ? operand : path.getLast().input();
                double factor = path.stream().mapToDouble(ViewStep::factor).reduce(1, (a, b) -> a * b);
                tensors.dims(source).map(StridedView::of).flatMap(view -> through(path, view))
                    .filter(view -> view.axes().size() > 1).map(view -> turned ? turned(view) : view)
                    .flatMap(HeadsLayout::of).map(layout -> new HeadsOperand(source, layout, factor))
                    .ifPresent(found::add);
            }
            return found;
        }

        /** @param path from the operand to its source */
        private static Optional<StridedView> through(List<ViewStep> path, StridedView source) {
            Optional<StridedView> view = Optional.of(source);
            for (ViewStep step : path.reversed()) {
                view = view.flatMap(step::apply);
            }
            return view;
        }

        private static StridedView turned(StridedView view) {
            List<List<StridedView.Factor>> axes = new ArrayList<>(view.axes());
            Collections.swap(axes, axes.size() - 2, axes.size() - 1);
            return new StridedView(axes);
        }
    }
}
