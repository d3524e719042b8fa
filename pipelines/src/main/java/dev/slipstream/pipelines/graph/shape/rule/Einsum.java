package dev.slipstream.pipelines.graph.shape.rule;

import dev.slipstream.pipelines.graph.tensor.Dims;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * An Einstein summation, {@code "bid,bjd->bij"}, of tensors with known dimensions; {@code ...} stands for dimensions
 * that broadcast.
 *
 * @param sizes of each index, by its letter
 * @param dotted the dimensions that the dots stand for
 * @param indices of the result, dots included
 */
public record Einsum(Map<Character, Long> sizes, long[] dotted, String indices) {
    private static final String DOTS = "...";

    /** @throws IllegalArgumentException if the equation does not fit the inputs; the message says why */
    public static Einsum of(String equation, List<long[]> inputs) {
        String[] sides = equation.replace(" ", "").split("->", -1);
        String[] terms = sides[0].split(",", -1);
        if (terms.length != inputs.size() || sides.length > 2) {
            throw new IllegalArgumentException("equation '" + equation + "' does not fit " + inputs.size()
                + " inputs");
        }
        Map<Character, Long> sizes = new HashMap<>();
        long[] dotted = new long[0];
        for (int i = 0; i < terms.length; i++) {
            long[] hidden = match(terms[i], inputs.get(i), sizes);
            long[] before = dotted;
            dotted = Dims.broadcast(before, hidden).orElseThrow(() -> new IllegalArgumentException("shapes "
                + Arrays.toString(before) + " and " + Arrays.toString(hidden) + " do not broadcast"));
        }
        return new Einsum(sizes, dotted, sides.length == 2 ? sides[1] : implicitResult(terms));
    }

    /** Notes the size of each letter, and returns the dimensions that the dots stand for. */
    private static long[] match(String term, long[] dims, Map<Character, Long> sizes) {
        int dots = term.indexOf(DOTS);
        int letters = dots < 0 ? term.length() : term.length() - DOTS.length();
        if (dots < 0 && letters != dims.length || letters > dims.length) {
            throw new IllegalArgumentException("term '" + term + "' does not fit an input of " + dims.length
                + " dimensions");
        }
        int hidden = dims.length - letters;
        int next = 0;
        for (int i = 0; i < term.length(); i++) {
            if (i == dots) {
                next += hidden;
                i += DOTS.length() - 1;
                continue;
            }
            long dim = dims[next++];
            Long other = sizes.put(term.charAt(i), dim);
            if (other != null && other != dim && other != 1 && dim != 1) {
                throw new IllegalArgumentException("index '" + term.charAt(i) + "' is " + other + " and " + dim);
            }
            if (other != null && dim == 1) {
                sizes.put(term.charAt(i), other);
            }
        }
        return dots < 0 ? new long[0] : Arrays.copyOfRange(dims, dots, dots + hidden);
    }

    /** Without an arrow: the dots, then every letter that occurs once, in alphabetical order. */
    private static String implicitResult(String[] terms) {
        Map<Character, Integer> counts = new TreeMap<>();
        String joined = String.join("", terms);
        joined.replace(DOTS, "").chars().forEach(letter -> counts.merge((char) letter, 1, Integer::sum));
        StringBuilder result = new StringBuilder(joined.contains(DOTS) ? DOTS : "");
        counts.forEach((letter, count) -> result.append(count == 1 ? letter.toString() : ""));
        return result.toString();
    }

    /** Dimensions of the result. @throws IllegalArgumentException if an index of it is in no input */
    public long[] result() {
        int dots = indices.indexOf(DOTS);
        long[] named = indices.replace(DOTS, "").chars().mapToLong(letter -> {
            Long size = sizes.get((char) letter);
            if (size == null) {
                throw new IllegalArgumentException("result index '" + (char) letter + "' is in no input");
            }
            return size;
        }).toArray();
        return dots < 0 ? named : Dims.concat(Arrays.copyOf(named, dots), dotted, Dims.from(named, dots));
    }

    /** Multiply-accumulates: each index is one loop, as long as the dimension that it stands for. */
    public double products() {
        double loops = sizes.values().stream().mapToDouble(Long::doubleValue).reduce(1, (a, b) -> a * b);
        return Arrays.stream(dotted).asDoubleStream().reduce(loops, (a, b) -> a * b);
    }
}
