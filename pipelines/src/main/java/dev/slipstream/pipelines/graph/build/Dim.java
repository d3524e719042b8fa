package dev.slipstream.pipelines.graph.build;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A dimension: a number, or a product of open sizes and a fraction, such as {@code height * width / 4}.
 *
 * <p>Fractions are taken to come out even, as for the heads of an attention; a size that is rounded is an open one of
 * its own. So what is equal here is equal when the graph runs.
 *
 * <p>Static methods say what operators make of shapes, which are lists of dimensions; they are empty where an operator
 * cannot take a shape.
 *
 * @param numerator in lowest terms with {@code denominator}
 * @param denominator at least 1
 * @param symbols names of open sizes, sorted; a square has its name twice
 */
public record Dim(long numerator, long denominator, List<String> symbols) {
    public static final Dim ONE = of(1);

    public Dim {
        if (numerator < 0 || denominator < 1) {
            throw new IllegalArgumentException("no dimension can be " + numerator + "/" + denominator);
        }
        long divisor = gcd(numerator, denominator);
        numerator /= divisor;
        denominator /= divisor;
        symbols = symbols.stream().sorted().toList();
    }

    public static Dim of(long size) {
        return new Dim(size, 1, List.of());
    }

    /** An open size, known when the graph runs. */
    public static Dim named(String name) {
        return new Dim(1, 1, List.of(name));
    }

    public Dim times(Dim other) {
        List<String> both = new ArrayList<>(symbols);
        both.addAll(other.symbols);
        return new Dim(Math.multiplyExact(numerator, other.numerator),
            Math.multiplyExact(denominator, other.denominator), both);
    }

    public Dim times(long factor) {
        return times(of(factor));
    }

    public Dim over(long divisor) {
        return new Dim(numerator, Math.multiplyExact(denominator, divisor), symbols);
    }

    /** {@code floor((this + more) / divisor)}. */
    Dim floor(long more, long divisor) {
        if (!isKnown() && denominator == 1 && numerator % divisor == 0 && more >= 0 && more < divisor) {
            return over(divisor);
        }
        return isKnown() ? of(Math.floorDiv(numerator + more, divisor))
            : named("floor((" + this + "+" + more + ")/" + divisor + ")");
    }

    static Dim product(List<Dim> dims) {
        return dims.stream().reduce(ONE, Dim::times);
    }

    /** Whether this is a number. */
    public boolean isKnown() {
        return symbols.isEmpty() && denominator == 1;
    }

    /** @throws IllegalStateException if the size is open */
    public long size() {
        if (!isKnown()) {
            throw new IllegalStateException("the size " + this + " is open");
        }
        return numerator;
    }

    private static long gcd(long a, long b) {
        return b == 0 ? Math.max(a, 1) : gcd(b, a % b);
    }

    @Override
    public String toString() {
        String product = String.join("*", symbols);
        String factor = symbols.isEmpty() ? Long.toString(numerator) : numerator == 1 ? "" : numerator + "*";
        return factor + product + (denominator == 1 ? "" : "/" + denominator);
    }

    static Optional<List<Dim>> broadcast(List<Dim> left, List<Dim> right) {
        List<Dim> longer = left.size() >= right.size() ? left : right;
        List<Dim> shorter = longer == left ? right : left;
        List<Dim> result = new ArrayList<>(longer);
        int shift = longer.size() - shorter.size();
        for (int i = 0; i < shorter.size(); i++) {
            Dim a = longer.get(i + shift);
            Dim b = shorter.get(i);
            if (!a.equals(b) && !a.equals(ONE) && !b.equals(ONE)) {
                return Optional.empty();
            }
            result.set(i + shift, a.equals(ONE) ? b : a);
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

    /** The sum of open sizes is an open one of its own. */
    static Optional<List<Dim>> concat(List<List<Dim>> parts, int axis) {
        List<Dim> first = parts.getFirst();
        boolean fit = parts.stream().allMatch(part -> part.size() == first.size()
            && with(part, axis, ONE).equals(with(first, axis, ONE)));
        return fit ? Optional.of(with(first, axis, sum(parts.stream().map(part -> part.get(axis)).toList())))
            : Optional.empty();
    }

    private static Dim sum(List<Dim> dims) {
        return dims.stream().allMatch(Dim::isKnown) ? of(dims.stream().mapToLong(Dim::size).sum())
            : named("(" + dims.stream().map(Dim::toString).collect(Collectors.joining("+")) + ")");
    }

    /**
     * What a Reshape node must be told: numbers, 0 for a size that stays where it is, and -1 for one that is open.
     * Empty if the number of elements would change or two sizes are open.
     */
    static Optional<long[]> reshape(List<Dim> from, List<Dim> to) {
        if (!product(from).equals(product(to))) {
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
