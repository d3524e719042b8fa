package dev.slipstream.pipelines.graph.build;

import java.util.ArrayList;
import java.util.List;

/**
 * A dimension: a number, or a product of open sizes and a fraction, such as {@code height * width / 4}.
 *
 * <p>Fractions are taken to come out even, as for the heads of an attention; a size that is rounded is an open one of
 * its own. So what is equal here is equal when the graph runs.
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
}
