package dev.slipstream.pipelines.graph.fusion;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.fusion.StridedView.Factor;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * How a tensor that Reshapes and Transposes made of another lies in the memory of that other one. An axis is a list of
 * factors, outermost first, as a Reshape may put several strides into one axis. Immutable; two views are equal if they
 * have the same axes and place every element alike.
 *
 * @param axes each as short as possible: no factor of size 1, none that goes on where the next one ends
 */
record StridedView(List<List<Factor>> axes) {
    /** @param stride elements from one to the next in the source */
    record Factor(long size, long stride) {
    }

    StridedView {
        axes = axes.stream().map(StridedView::merged).toList();
    }

    /** A tensor as its own source. */
    static StridedView of(List<Long> dims) {
        List<List<Factor>> axes = new ArrayList<>();
        long stride = 1;
        for (long dim : dims.reversed()) {
            axes.add(List.of(new Factor(dim, stride)));
            stride *= dim;
        }
        return new StridedView(axes.reversed());
    }

    /** @param order for each new axis the old one, as in the attribute of a Transpose */
    StridedView transposed(List<Integer> order) {
        return new StridedView(order.stream().map(axes::get).toList());
    }

    /** Empty if a new axis would take parts of a factor that it does not divide. */
    Optional<StridedView> reshaped(List<Long> dims) {
        Deque<Factor> left = new ArrayDeque<>(flat());
        List<List<Factor>> made = new ArrayList<>();
        for (long dim : dims) {
            List<Factor> axis = new ArrayList<>();
            for (long rest = dim; rest != 1;) {
                Factor next = left.poll();
                if (next == null || rest == 0) {
                    return Optional.empty();
                }
                if (rest % next.size == 0) {
                    axis.add(next);
                    rest /= next.size;
                } else if (next.size % rest == 0) {
                    long inner = next.size / rest;
                    axis.add(new Factor(rest, next.stride * inner));
                    left.push(new Factor(inner, next.stride));
                    rest = 1;
                } else {
                    return Optional.empty();
                }
            }
            made.add(axis);
        }
        return left.isEmpty() ? Optional.of(new StridedView(made)) : Optional.empty();
    }

    /** All but the last axes as one. */
    StridedView joined(int last) {
        int first = axes.size() - last;
        List<Factor> front = axes.subList(0, first).stream().flatMap(Collection::stream).toList();
        return new StridedView(Stream.concat(Stream.of(front), axes.subList(first, axes.size()).stream()).toList());
    }

    /** The elements in their order, as one axis. */
    List<Factor> flat() {
        return joined(0).axes.getFirst();
    }

    private static List<Factor> merged(List<Factor> axis) {
        List<Factor> merged = new ArrayList<>();
        for (Factor factor : axis) {
            if (factor.size == 1) {
                continue;
            }
            Factor before = merged.isEmpty() ? null : merged.getLast();
            if (before != null && before.stride == factor.size * factor.stride) {
                merged.set(merged.size() - 1, new Factor(before.size * factor.size, factor.stride));
            } else {
                merged.add(factor);
            }
        }
        return List.copyOf(merged);
    }

    /**
     * A node that gives out its input rearranged, in another precision, or each element times the same number.
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
                case "Cast" -> tensors.dims(node.getInput(0))
                    .map(from -> new ViewStep(node, node.getInput(0), dims, 1));
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

        /** Whether elements stay where they are. */
        boolean keepsPlaces() {
            return scales() || node.getOpType().equals("Cast");
        }

        /** The view of the output, from that of the input. */
        Optional<StridedView> apply(StridedView view) {
            if (keepsPlaces()) {
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
}
