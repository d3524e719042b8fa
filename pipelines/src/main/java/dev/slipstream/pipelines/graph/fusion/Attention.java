package dev.slipstream.pipelines.graph.fusion;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.Nodes;
import java.util.List;
import java.util.Optional;

/**
 * Attention in heads, found in a graph: {@code softmax(factor · q · kᵀ) · v}, without a mask.
 *
 * @param product the node that multiplies by the values
 * @param result the last tensor that only holds the product in another form: with its heads side by side
 */
record Attention(HeadsOperand query, HeadsOperand key, HeadsOperand value, double factor, NodeProto product,
    String result) {

    /** The attention around a Softmax; empty if it is around nothing that fits. */
    static Optional<Attention> around(NodeProto softmax, Graph graph, FixedTensors tensors) {
        String map = softmax.getOutput(0);
        if (!isOverLastAxis(softmax, graph, tensors) || !tensors.isInner(map)) {
            return Optional.empty();
        }
        NodeProto product = graph.consumers(map).getFirst();
        if (!isProduct(product) || !product.getInput(0).equals(map) || product.getInput(1).equals(map)) {
            return Optional.empty();
        }
        double factor = 1;
        String scores = softmax.getInput(0);
        Optional<NodeProto> scored = graph.producer(scores);
        while (tensors.isInner(scores) && scored.isPresent() && isScaling(scored.get())) {
            Optional<ViewStep> step = ViewStep.of(scored.get(), tensors);
            if (step.isEmpty()) {
                return Optional.empty();
            }
            factor *= step.get().factor();
            scores = step.get().input();
            scored = graph.producer(scores);
        }
        if (!tensors.isInner(scores) || scored.filter(Attention::isProduct).isEmpty()) {
            return Optional.empty();
        }
        Optional<HeadsOperand> query = HeadsOperand.trace(scored.get().getInput(0), false, graph, tensors);
        Optional<HeadsOperand> key = HeadsOperand.trace(scored.get().getInput(1), true, graph, tensors);
        Optional<HeadsOperand> value = HeadsOperand.trace(product.getInput(1), false, graph, tensors);
        if (query.isEmpty() || key.isEmpty() || value.isEmpty()) {
            return Optional.empty();
        }
        Attention found = new Attention(query.get(), key.get(), value.get(),
            factor * query.get().factor() * key.get().factor(), product, "");
        return found.fits() ? found.withResult(graph, tensors) : Optional.empty();
    }

    private static boolean isOverLastAxis(NodeProto softmax, Graph graph, FixedTensors tensors) {
        long usual = graph.opset() >= 13 ? -1 : 1;
        long axis = Nodes.integer(softmax, "axis", usual);
        return Nodes.isStandard(softmax) && softmax.getOpType().equals("Softmax") && softmax.getInputCount() == 1
            && tensors.dims(softmax.getInput(0)).filter(dims -> axis == -1 || axis == dims.size() - 1).isPresent();
    }

    private static boolean isProduct(NodeProto node) {
        return Nodes.isStandard(node) && node.getOpType().equals("MatMul") && node.getInputCount() == 2;
    }

    private static boolean isScaling(NodeProto node) {
        return node.getOpType().equals("Mul") || node.getOpType().equals("Div");
    }

    private boolean fits() {
        HeadsLayout q = query.layout();
        HeadsLayout k = key.layout();
        HeadsLayout v = value.layout();
        // An operator takes a factor of 0 for "not said".
        boolean plain = value.factor() == 1 && (float) factor != 0 && Float.isFinite((float) factor);
        return plain && q.rows() == k.rows() && k.rows() == v.rows() && q.heads() == k.heads()
            && k.heads() == v.heads() && q.width() == k.width() && k.tokens() == v.tokens();
    }

    /** Sizes of what comes out. */
    HeadsLayout layout() {
        HeadsLayout q = query.layout();
        return new HeadsLayout(q.rows(), q.heads(), q.tokens(), value.layout().width());
    }

    /** Follows the product for as long as it only changes its form. Empty if its heads never come side by side. */
    private Optional<Attention> withResult(Graph graph, FixedTensors tensors) {
        List<StridedView.Factor> wanted = layout().tokensFirst().flat();
        String tensor = product.getOutput(0);
        Optional<StridedView> view = tensors.dims(tensor).map(StridedView::of);
        Optional<Attention> found = Optional.empty();
        while (view.isPresent()) {
            if (view.get().flat().equals(wanted)) {
                found = Optional.of(new Attention(query, key, value, factor, product, tensor));
            }
            if (!tensors.isInner(tensor)) {
                break;
            }
            Optional<ViewStep> step = ViewStep.of(graph.consumers(tensor).getFirst(), tensors)
                .filter(it -> !isScaling(it.node()));
            StridedView before = view.get();
            view = step.flatMap(it -> it.apply(before));
            tensor = step.map(it -> it.node().getOutput(0)).orElse(tensor);
        }
        return found;
    }
}
