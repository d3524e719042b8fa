package dev.slipstream.pipelines.graph.fusion;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.fusion.StridedView.ViewStep;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * Attention in heads, found in a graph: {@code softmax(factor · q · kᵀ + mask) · v}.
 *
 * @param mask a tensor that broadcasts to {@code scores}
 * @param scores dimensions of the products of queries and keys
 * @param scored the node that multiplies queries by keys, before any factor that comes behind
 * @param product the node that multiplies by the values
 * @param layout sizes of what comes out
 * @param result the last tensor that only holds the product in another form: with its heads side by side
 */
public record HeadedAttention(Operand query, Operand key, Operand value, double factor, Optional<String> mask,
    List<Long> scores, NodeProto scored, NodeProto product, HeadsLayout layout, String result) {

    /**
     * All attention of a graph.
     *
     * @param graph one with {@linkplain Graph#types types}, such as
     *     {@link dev.slipstream.pipelines.graph.shape.StaticShapes} makes
     */
    public static List<HeadedAttention> in(Graph graph) {
        FixedTensors tensors = new FixedTensors(graph);
        return graph.nodes().stream().filter(node -> node.getOpType().equals("Softmax"))
            .flatMap(softmax -> around(softmax, tensors).stream()).toList();
    }

    /** The attention around a Softmax; empty if it is around nothing that fits. */
    static Optional<HeadedAttention> around(NodeProto softmax, FixedTensors tensors) {
        String weights = cast(softmax.getOutput(0), tensors);
        Optional<NodeProto> product = tensors.onlyReader(weights).filter(HeadedAttention::isProduct)
            .filter(node -> node.getInput(0).equals(weights) && !node.getInput(1).equals(weights));
        if (product.isEmpty() || !isOverLastAxis(softmax, tensors)) {
            return Optional.empty();
        }
        Scaled scores = Scaled.of(softmax.getInput(0), tensors);
        Optional<Masked> masked = scores.factor() == 1 ? Masked.of(scores.tensor(), tensors) : Optional.empty();
        Scaled plain = masked.map(it -> Scaled.of(it.scores(), tensors)).orElse(scores);
        Optional<NodeProto> scored = tensors.producer(plain.tensor()).filter(HeadedAttention::isProduct);
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

    private static Optional<HeadedAttention> of(NodeProto scored, double factor, Optional<String> mask,
        NodeProto product, FixedTensors tensors) {
        Optional<List<Long>> scores = tensors.dims(scored.getOutput(0));
        if (scores.isEmpty()) {
            return Optional.empty();
        }
        // The same heads may lie in the rows of one operand and side by side in another.
        List<Operand> queries = Operand.trace(scored.getInput(0), false, tensors);
        List<Operand> keys = Operand.trace(scored.getInput(1), true, tensors);
        List<Operand> values = Operand.trace(product.getInput(1), false, tensors);
        for (Operand query : queries) {
            for (Operand key : keys) {
                for (Operand value : values) {
                    Optional<HeadedAttention> found = query.layout().attending(key.layout(), value.layout())
                        .flatMap(layout -> result(product.getOutput(0), layout, tensors).flatMap(result ->
                            new HeadedAttention(query, key, value, factor * query.factor() * key.factor(), mask,
                                scores.get(), scored, product, layout, result).ifItCanBeSaid()));
                    if (found.isPresent()) {
                        return found;
                    }
                }
            }
        }
        return Optional.empty();
    }

    /** The operator takes a factor of 0 for "not said". */
    private Optional<HeadedAttention> ifItCanBeSaid() {
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
                && tensors.producer(Scaled.of(masked.scores, tensors).tensor()).filter(HeadedAttention::isProduct)
                    .isPresent()
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
    public record Operand(String source, HeadsLayout layout, double factor) {
        /**
         * All such sources of an operand [.., tokens, width], the farthest first.
         *
         * @param turned whether the operand is [.., width, tokens], as keys are
         */
        static List<Operand> trace(String operand, boolean turned, FixedTensors tensors) {
            List<ViewStep> steps = new ArrayList<>();
            Optional<ViewStep> next = ViewStep.to(operand, tensors);
            while (next.isPresent()) {
                steps.add(next.get());
                next = ViewStep.to(next.get().input(), tensors);
            }
            List<Operand> found = new ArrayList<>();
            for (int taken = steps.size(); taken >= 0; taken--) {
                List<ViewStep> path = steps.subList(0, taken);
                String source = taken == 0 ? operand : path.getLast().input();
                double factor = path.stream().mapToDouble(ViewStep::factor).reduce(1, (a, b) -> a * b);
                tensors.dims(source).map(StridedView::of).flatMap(view -> through(path, view))
                    .filter(view -> view.axes().size() > 1).map(view -> turned ? turned(view) : view)
                    .flatMap(HeadsLayout::of).map(layout -> new Operand(source, layout, factor))
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
