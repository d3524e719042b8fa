package dev.slipstream.pipelines.graph.fusion;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.pipelines.graph.Nodes;
import java.util.Optional;

/**
 * Attention in heads, found in a graph: {@code softmax(factor · q · kᵀ) · v}, without a mask.
 *
 * @param product the node that multiplies by the values
 * @param layout sizes of what comes out
 * @param result the last tensor that only holds the product in another form: with its heads side by side
 */
record Attention(HeadsOperand query, HeadsOperand key, HeadsOperand value, double factor, NodeProto product,
    HeadsLayout layout, String result) {

    /** The attention around a Softmax; empty if it is around nothing that fits. */
    static Optional<Attention> around(NodeProto softmax, FixedTensors tensors) {
        Optional<NodeProto> product = tensors.onlyReader(softmax.getOutput(0)).filter(Attention::isProduct)
            .filter(node -> node.getInput(0).equals(softmax.getOutput(0))
                && !node.getInput(1).equals(softmax.getOutput(0)));
        if (product.isEmpty() || !isOverLastAxis(softmax, tensors)) {
            return Optional.empty();
        }
        double factor = 1;
        String scores = softmax.getInput(0);
        Optional<ViewStep> scaling = scaling(scores, tensors);
        while (scaling.isPresent()) {
            factor *= scaling.get().factor();
            scores = scaling.get().input();
            scaling = scaling(scores, tensors);
        }
        Optional<NodeProto> scored = tensors.producer(scores).filter(Attention::isProduct);
        return tensors.onlyReader(scores).isEmpty() || scored.isEmpty() ? Optional.empty()
            : of(scored.get(), factor, product.get(), tensors);
    }

    private static boolean isOverLastAxis(NodeProto softmax, FixedTensors tensors) {
        long axis = Nodes.integer(softmax, "axis", tensors.opset() >= 13 ? -1 : 1);
        return Nodes.isStandard(softmax) && softmax.getOpType().equals("Softmax") && softmax.getInputCount() == 1
            && tensors.dims(softmax.getInput(0)).filter(dims -> axis == -1 || axis == dims.size() - 1).isPresent();
    }

    private static boolean isProduct(NodeProto node) {
        return Nodes.isStandard(node) && node.getOpType().equals("MatMul") && node.getInputCount() == 2;
    }

    /** How a tensor that nothing else reads was scaled. */
    private static Optional<ViewStep> scaling(String tensor, FixedTensors tensors) {
        return tensors.onlyReader(tensor).flatMap(reader -> ViewStep.to(tensor, tensors)).filter(ViewStep::scales);
    }

    private static Optional<Attention> of(NodeProto scored, double factor, NodeProto product, FixedTensors tensors) {
        Optional<HeadsOperand> query = HeadsOperand.trace(scored.getInput(0), false, tensors);
        Optional<HeadsOperand> key = HeadsOperand.trace(scored.getInput(1), true, tensors);
        Optional<HeadsOperand> value = HeadsOperand.trace(product.getInput(1), false, tensors);
        if (query.isEmpty() || key.isEmpty() || value.isEmpty()) {
            return Optional.empty();
        }
        double scale = factor * query.get().factor() * key.get().factor();
        // The operator takes a factor of 0 for "not said".
        boolean canBeSaid = (float) scale != 0 && Float.isFinite((float) scale) && value.get().factor() == 1;
        return query.get().layout().attending(key.get().layout(), value.get().layout()).filter(layout -> canBeSaid)
            .flatMap(layout -> result(product.getOutput(0), layout, tensors).map(result ->
                new Attention(query.get(), key.get(), value.get(), scale, product, layout, result)));
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
                .filter(next -> !next.scales());
            view = step.flatMap(next -> next.apply(seen));
            tensor = step.map(next -> next.node().getOutput(0)).orElse(tensor);
        }
        return result;
    }
}
