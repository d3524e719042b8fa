package dev.slipstream.pipelines.graph.build;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** What shapes operators make of shapes that may be open; empty where the operator cannot take them. */
final class ShapeCheck {
    private ShapeCheck() {
    }

    static Optional<List<Dim>> broadcast(List<Dim> left, List<Dim> right) {
        List<Dim> longer = left.size() >= right.size() ? left : right;
        List<Dim> shorter = longer == left ? right : left;
        List<Dim> result = new ArrayList<>(longer);
        int shift = longer.size() - shorter.size();
        for (int i = 0; i < shorter.size(); i++) {
            Dim a = longer.get(i + shift);
            Dim b = shorter.get(i);
            if (!a.equals(b) && !a.equals(Dim.ONE) && !b.equals(Dim.ONE)) {
                return Optional.empty();
            }
            result.set(i + shift, a.equals(Dim.ONE) ? b : a);
        }
        return Optional.of(result);
    }

    /** Matrices are the last two dimensions; those before broadcast. */
    static Optional<List<Dim>> matMul(List<Dim> left, List<Dim> right) {
        int l = left.size();
        int r = right.size();
        if (l < 2 || r < 2 || !left.get(l - 1).equals(right.get(r - 2))) {
            return Optional.empty();
        }
        return broadcast(left.subList(0, l - 2), right.subList(0, r - 2)).map(batch -> {
            List<Dim> result = new ArrayList<>(batch);
            result.add(left.get(l - 2));
            result.add(right.get(r - 1));
            return result;
        });
    }

    /** @param weight transposed */
    static Optional<List<Dim>> gemm(List<Dim> x, List<Dim> weight) {
        return x.size() == 2 && weight.size() == 2 ? matMul(x, weight.reversed()) : Optional.empty();
    }

    /** @param before padding above and on the left, {@code after} below and on the right */
    static Optional<List<Dim>> conv(List<Dim> x, List<Dim> weight, long stride, long before, long after) {
        if (x.size() != 4 || weight.size() != 4 || !x.get(1).equals(weight.get(1))) {
            return Optional.empty();
        }
        List<Dim> result = new ArrayList<>(List.of(x.get(0), weight.get(0)));
        for (int axis = 2; axis < 4; axis++) {
            long kernel = weight.get(axis).size();
            long lost = kernel - before - after;
            Dim dim = x.get(axis);
            if (dim.isKnown() ? dim.size() >= lost : lost >= 1 && lost <= stride) {
                result.add(stride == 1 && lost == 1 ? dim : dim.floor(stride - lost, stride));
            } else {
                return Optional.empty();
            }
        }
        return Optional.of(result);
    }

    static List<Dim> transpose(List<Dim> dims, int... order) {
        List<Dim> result = new ArrayList<>();
        for (int axis : order) {
            result.add(dims.get(axis));
        }
        return result;
    }

    static List<Dim> with(List<Dim> dims, int axis, Dim dim) {
        List<Dim> result = new ArrayList<>(dims);
        result.set(axis, dim);
        return result;
    }

    /** Sizes must be known along the axis. */
    static Optional<List<Dim>> concat(List<List<Dim>> parts, int axis) {
        List<Dim> first = parts.getFirst();
        long sum = 0;
        for (List<Dim> part : parts) {
            boolean fits = part.size() == first.size() && part.get(axis).isKnown()
                && with(part, axis, Dim.ONE).equals(with(first, axis, Dim.ONE));
            if (!fits) {
                return Optional.empty();
            }
            sum += part.get(axis).size();
        }
        return Optional.of(with(first, axis, Dim.of(sum)));
    }

    /**
     * What a Reshape node must be told: numbers, 0 for a size that stays where it is, and -1 for one that is open.
     * Empty if the number of elements would change or two sizes are open.
     */
    static Optional<long[]> reshape(List<Dim> from, List<Dim> to) {
        if (!Dim.product(from).equals(Dim.product(to))) {
            return Optional.empty();
        }
        long[] target = new long[to.size()];
        int open = 0;
        for (int i = 0; i < target.length; i++) {
            Dim dim = to.get(i);
            if (dim.isKnown()) {
                target[i] = dim.size();
            } else if (i < from.size() && from.get(i).equals(dim)) {
                target[i] = 0;
            } else {
                target[i] = -1;
                open++;
            }
        }
        return open > 1 ? Optional.empty() : Optional.of(target);
    }

    static boolean isPermutation(int rank, int... order) {
        List<Integer> sorted = new ArrayList<>();
        for (int axis : order) {
            sorted.add(axis);
        }
        Collections.sort(sorted);
        boolean all = sorted.size() == rank;
        for (int i = 0; all && i < rank; i++) {
            all = sorted.get(i) == i;
        }
        return all;
    }
}
