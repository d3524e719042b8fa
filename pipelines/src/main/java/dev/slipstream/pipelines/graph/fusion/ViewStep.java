package dev.slipstream.pipelines.graph.fusion;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.pipelines.graph.Nodes;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/**
 * A node that gives out its input rearranged, or each element times the same number.
 *
 * @param input the tensor that it rearranges
 * @param output under which dimensions it gives it out
 * @param factor what it multiplies by; 1 if it rearranges
 */
record ViewStep(NodeProto node, String input, List<Long> output, double factor) {
    /** Empty for nodes that do something else. */
    static Optional<ViewStep> of(NodeProto node, FixedTensors tensors) {
        if (!Nodes.isStandard(node) || node.getOutputCount() != 1 || node.getInputCount() == 0) {
            return Optional.empty();
        }
        Optional<List<Long>> output = tensors.dims(node.getOutput(0));
        return output.flatMap(dims -> switch (node.getOpType()) {
            case "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity" ->
                Optional.of(new ViewStep(node, node.getInput(0), dims, 1));
            case "Mul" -> scaled(node, 0, dims, tensors).or(() -> scaled(node, 1, dims, tensors));
            case "Div" -> scaled(node, 1, dims, tensors).map(ViewStep::inverse);
            default -> Optional.empty();
        });
    }

    /** The step that makes a tensor; empty if something else does. */
    static Optional<ViewStep> to(String tensor, FixedTensors tensors) {
        return tensors.producer(tensor).flatMap(node -> of(node, tensors));
    }

    /** @param constant which input is the number; the other one must not grow by it */
    private static Optional<ViewStep> scaled(NodeProto node, int constant, List<Long> dims, FixedTensors tensors) {
        if (node.getInputCount() != 2) {
            return Optional.empty();
        }
        String input = node.getInput(1 - constant);
        OptionalDouble factor = tensors.scalar(node.getInput(constant));
        return factor.isPresent() && tensors.dims(input).filter(dims::equals).isPresent()
            ? Optional.of(new ViewStep(node, input, dims, factor.getAsDouble())) : Optional.empty();
    }

    private ViewStep inverse() {
        return new ViewStep(node, input, output, 1 / factor);
    }

    /** Whether it multiplies, and does not rearrange. */
    boolean scales() {
        return node.getOpType().equals("Mul") || node.getOpType().equals("Div");
    }

    /** The view of the output, from that of the input. */
    Optional<StridedView> apply(StridedView view) {
        if (scales()) {
            return Optional.of(view);
        }
        return node.getOpType().equals("Transpose") ? Optional.of(view.transposed(order(view.axes().size())))
            : view.reshaped(output);
    }

    private List<Integer> order(int rank) {
        List<Long> said = Nodes.integers(node, "perm");
        return said.isEmpty() ? IntStream.range(0, rank).mapToObj(axis -> rank - 1 - axis).toList()
            : said.stream().map(Math::toIntExact).toList();
    }
}
