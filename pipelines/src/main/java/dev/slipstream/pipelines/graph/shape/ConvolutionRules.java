package dev.slipstream.pipelines.graph.shape;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Convolutions: inputs are [batch, channels, spatial...] and [channels out, channels in / group, kernel...]. */
final class ConvolutionRules {
    private ConvolutionRules() {
    }

    static Map<String, ShapeRule> table() {
        return Map.of("Conv", ConvolutionRules::convolution, "ConvTranspose", ConvolutionRules::transposed);
    }

    private static List<ValueType> convolution(TypedNode node) {
        long[] input = node.dims(0);
        long[] weight = checkedWeight(node, input);
        if (weight[1] * node.integer("group", 1) != input[1]) {
            throw node.invalid("input " + node.type(0) + " has " + input[1] + " channels, but weight " + node.type(1)
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
}
