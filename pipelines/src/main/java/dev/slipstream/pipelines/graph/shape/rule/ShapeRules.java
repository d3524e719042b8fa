package dev.slipstream.pipelines.graph.shape.rule;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.tensor.Dims;
import dev.slipstream.pipelines.graph.tensor.ElementType;
import dev.slipstream.pipelines.graph.tensor.ValueType;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/** The table of all operators, made of one table for each kind. */
public final class ShapeRules {
    private static final Map<String, ShapeRule> RULES = collect();

    private ShapeRules() {
    }

    /** The rule of a node's operator; empty if it is not known. Domains other than ONNX's own are not known. */
    public static Optional<ShapeRule> of(NodeProto node) {
        return Nodes.isStandard(node) ? Optional.ofNullable(RULES.get(node.getOpType())) : Optional.empty();
    }

    /** All operators that are known. */
    public static Set<String> operators() {
        return RULES.keySet();
    }

    private static Map<String, ShapeRule> collect() {
        Map<String, ShapeRule> all = new HashMap<>();
        for (Map<String, ShapeRule> kind : List.of(ElementwiseOperators.types(), LayoutOperators.types(),
            JoiningOperators.types(), IndexingOperators.types(), ReductionOperators.types(),
            GeneratorOperators.types(), SpatialOperators.types())) {
            kind.forEach((operator, rule) -> {
                if (all.put(operator, rule) != null) {
                    throw new IllegalStateException("two shape rules for " + operator);
                }
            });
        }
        return Map.copyOf(all);
    }

    /**
     * Operators on images: convolution, pooling, resizing. Inputs are [batch, channels, spatial...], weights of
     * convolutions [channels out, channels in / group, kernel...].
     */
    private static final class SpatialOperators {
        private SpatialOperators() {
        }

        static Map<String, ShapeRule> types() {
            return Map.of("Conv", SpatialOperators::convolution, "ConvTranspose", SpatialOperators::transposed,
                "AveragePool", node -> List.of(pooled(node)), "LpPool", node -> List.of(pooled(node)),
                "MaxPool", node -> List.of(pooled(node), pooled(node).withElement(ElementType.INT64)),
                "GlobalAveragePool", SpatialOperators::global, "GlobalMaxPool", SpatialOperators::global,
                "GlobalLpPool", SpatialOperators::global, "Resize", SpatialOperators::resize);
        }

        /**
         * A window sliding over the spatial dimensions, as in convolution and pooling.
         *
         * @param pads before each spatial dimension, then after each
         */
        private record Window(long[] kernel, long[] strides, long[] dilations, long[] pads, String autoPad) {
            static Window of(TypedNode node, long[] kernel) {
                int rank = kernel.length;
                long[] ones = new long[rank];
                Arrays.fill(ones, 1);
                Window window = new Window(kernel, node.integers("strides").orElse(ones),
                    node.integers("dilations").orElse(ones), node.integers("pads").orElse(new long[2 * rank]),
                    node.string("auto_pad", "NOTSET"));
                if (window.strides.length != rank || window.dilations.length != rank
                    || window.pads.length != 2 * rank) {
                    throw node.invalid("strides, dilations and pads do not fit a kernel of " + Arrays.toString(kernel));
                }
                return window;
            }

            private boolean isSame() {
                return autoPad.startsWith("SAME_");
            }

            /** How far one dimension of the window reaches with its dilation. */
            private long reach(int axis) {
                return (kernel[axis] - 1) * dilations[axis] + 1;
            }

            private long padding(int axis) {
                return autoPad.equals("VALID") ? 0 : pads[axis] + pads[axis + kernel.length];
            }

            /**
             * Places for the window in one dimension; with {@code ceil} a last place that is only partly filled counts.
             */
            long places(TypedNode node, int axis, long size, boolean ceil) {
                long stride = strides[axis];
                if (isSame()) {
                    return Math.ceilDiv(size, stride);
                }
                long room = size + padding(axis) - reach(axis);
                if (room < 0) {
                    throw node.invalid("a kernel reaching over " + reach(axis) + " is larger than the input's " + size
                        + " with padding " + padding(axis));
                }
                if (!ceil) {
                    return room / stride + 1;
                }
                long places = Math.ceilDiv(room, stride) + 1;
                // A window must start inside the input or the padding before it.
                boolean startsBehind = (places - 1) * stride >= size + (autoPad.equals("VALID") ? 0 : pads[axis]);
                return startsBehind ? places - 1 : places;
            }

            /** Size of the output of a transposed convolution in one dimension. */
            long transposedSize(int axis, long size, long outputPadding) {
                if (isSame()) {
                    return size * strides[axis];
                }
                return strides[axis] * (size - 1) + outputPadding + reach(axis) - padding(axis);
            }
        }

        private static List<ValueType> convolution(TypedNode node) {
            long[] input = node.dims(0);
            long[] weight = checkedWeight(node, input);
            if (weight[1] * node.integer("group", 1) != input[1]) {
                throw node.invalid("input " + node.type(0) + " has " + input[1] + " channels, but weight "
                    + node.type(1)
                    + " with " + node.integer("group", 1) + " groups takes " + weight[1] * node.integer("group", 1));
            }
            Window window = Window.of(node, Dims.from(weight, 2));
            long[] output = input.clone();
            output[1] = weight[0];
            for (int i = 2; i < output.length; i++) {
                output[i] = window.places(node, i - 2, input[i], false);
            }
            return List.of(node.type(0).withDims(output));
        }

        private static List<ValueType> transposed(TypedNode node) {
            long[] input = node.dims(0);
            long[] weight = checkedWeight(node, input);
            if (weight[0] != input[1]) {
                throw node.invalid("input " + node.type(0) + " does not have the channels of weight " + node.type(1));
            }
            Window window = Window.of(node, Dims.from(weight, 2));
            Optional<long[]> sizes = node.integers("output_shape");
            long[] extra = node.integers("output_padding").orElse(new long[input.length - 2]);
            long[] output = input.clone();
            output[1] = weight[1] * node.integer("group", 1);
            for (int i = 2; i < output.length; i++) {
                int axis = i - 2;
                long size = input[i];
                output[i] = sizes.map(given -> given[given.length - extra.length + axis])
                    .orElseGet(() -> window.transposedSize(axis, size, extra[axis]));
            }
            return List.of(node.type(0).withDims(output));
        }

        private static long[] checkedWeight(TypedNode node, long[] input) {
            long[] weight = node.dims(1);
            if (weight.length != input.length || input.length < 3) {
                throw node.invalid("input " + node.type(0) + " and weight " + node.type(1) + " do not fit");
            }
            return weight;
        }

        private static ValueType pooled(TypedNode node) {
            long[] output = node.dims(0);
            long[] kernel = node.integers("kernel_shape").orElseThrow(() -> node.invalid("it has no kernel_shape"));
            if (output.length != kernel.length + 2) {
                throw node.invalid("a kernel of " + Arrays.toString(kernel) + " does not fit input " + node.type(0));
            }
            Window window = Window.of(node, kernel);
            for (int i = 2; i < output.length; i++) {
                output[i] = window.places(node, i - 2, output[i], node.flag("ceil_mode"));
            }
            return node.type(0).withDims(output);
        }

        private static List<ValueType> global(TypedNode node) {
            long[] output = node.dims(0);
            Arrays.fill(output, Math.min(2, output.length), output.length, 1);
            return List.of(node.type(0).withDims(output));
        }

        /** Inputs are X, region of interest, scales, sizes. */
        private static List<ValueType> resize(TypedNode node) {
            if (node.string("coordinate_transformation_mode", "").equals("tf_crop_and_resize")) {
                throw node.unknown("tf_crop_and_resize is not handled");
            }
            long[] named = node.integers("axes").orElse(null);
            int[] axes = named == null ? allAxes(node) : node.axes(named, node.rank(0));
            long[] dims;
            if (node.has(3) && node.type(3).elements() > 0) {
                dims = sized(node, node.integers(3), axes);
            } else {
                dims = scaled(node, node.required(2).reals(), axes);
            }
            return List.of(node.type(0).withDims(dims));
        }

        private static int[] allAxes(TypedNode node) {
            return IntStream.range(0, node.rank(0)).toArray();
        }

        private static long[] scaled(TypedNode node, double[] scales, int[] axes) {
            requireEach(node, scales.length, axes);
            long[] dims = node.dims(0);
            for (int i = 0; i < axes.length; i++) {
                dims[axes[i]] = (long) ((float) dims[axes[i]] * (float) scales[i]);
            }
            return dims;
        }

        private static long[] sized(TypedNode node, long[] sizes, int[] axes) {
            requireEach(node, sizes.length, axes);
            long[] dims = node.dims(0);
            String policy = node.string("keep_aspect_ratio_policy", "stretch");
            if (policy.equals("stretch")) {
                for (int i = 0; i < axes.length; i++) {
                    dims[axes[i]] = sizes[i];
                }
                return dims;
            }
            boolean larger = policy.equals("not_smaller");
            float scale = larger ? 0 : Float.MAX_VALUE;
            for (int i = 0; i < axes.length; i++) {
                float own = (float) sizes[i] / dims[axes[i]];
                scale = larger ? Math.max(scale, own) : Math.min(scale, own);
            }
            for (int axis : axes) {
                dims[axis] = (long) Math.floor(scale * dims[axis] + 0.5f);
            }
            return dims;
        }

        private static void requireEach(TypedNode node, int given, int[] axes) {
            if (given != axes.length) {
                throw node.invalid("it has " + given + " scales or sizes for " + axes.length + " dimensions");
            }
        }
    }
}
