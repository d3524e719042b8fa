package dev.slipstream.pipelines.graph.shape;

import java.util.Arrays;

/**
 * What a Slice node takes of each dimension: {@code counts[i]} elements from {@code starts[i]} on, every
 * {@code steps[i]}-th, backwards if negative. Bounds out of range are clamped as the operator says.
 */
record SliceRange(long[] starts, long[] steps, long[] counts) {
    static SliceRange of(TypedNode node) {
        long[] dims = node.dims(0);
        long[] from = node.integers(1);
        long[] to = node.integers(2);
        long[] every = node.has(4) ? node.integers(4) : ones(from.length);
        long[] named = node.has(3) ? node.integers(3) : firstAxes(from.length);
        if (to.length != from.length || every.length != from.length || named.length != from.length) {
            throw node.invalid("starts, ends, axes and steps differ in length");
        }
        int[] axes = node.axes(named, dims.length);
        SliceRange range = new SliceRange(new long[dims.length], ones(dims.length), dims.clone());
        for (int i = 0; i < axes.length; i++) {
            if (every[i] == 0) {
                throw node.invalid("step 0 gets nowhere");
            }
            if (every[i] < 0 && (to[i] == Long.MAX_VALUE || to[i] == Integer.MAX_VALUE)) {
                throw node.unknown("engines disagree where a slice ends that goes backwards to the largest integer");
            }
            range.cut(axes[i], dims[axes[i]], from[i], to[i], every[i]);
        }
        return range;
    }

    private void cut(int axis, long size, long from, long to, long step) {
        boolean forward = step > 0;
        // Backwards an end before the first element is -1, which after wrapping cannot be said otherwise.
        long start = clamp(from < 0 ? from + size : from, 0, forward ? size : size - 1);
        long end = clamp(to < 0 ? to + size : to, forward ? 0 : -1, forward ? size : size - 1);
        starts[axis] = start;
        steps[axis] = step;
        long distance = forward ? end - start : start - end;
        // A step may be as large as any integer; then its magnitude does not exist as a positive number.
        long magnitude = step == Long.MIN_VALUE ? Long.MAX_VALUE : Math.abs(step);
        counts[axis] = distance <= 0 ? 0 : (distance - 1) / magnitude + 1;
    }

    private static long clamp(long value, long least, long most) {
        return Math.min(Math.max(value, least), most);
    }

    private static long[] ones(int count) {
        long[] ones = new long[count];
        Arrays.fill(ones, 1);
        return ones;
    }

    private static long[] firstAxes(int count) {
        long[] axes = new long[count];
        Arrays.setAll(axes, i -> i);
        return axes;
    }
}
