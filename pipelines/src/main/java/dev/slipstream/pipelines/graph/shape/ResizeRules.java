package dev.slipstream.pipelines.graph.shape;

import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Resize: by factors or to sizes, along all dimensions or some. */
final class ResizeRules {
    private ResizeRules() {
    }

    static Map<String, ShapeRule> table() {
        return Map.of("Resize", ResizeRules::resize);
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
