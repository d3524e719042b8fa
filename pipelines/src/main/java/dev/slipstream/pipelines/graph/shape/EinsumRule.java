package dev.slipstream.pipelines.graph.shape;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Einstein summation: {@code "bid,bjd->bij"}, with {@code ...} for dimensions that broadcast. */
final class EinsumRule {
    private static final String DOTS = "...";

    private EinsumRule() {
    }

    static List<ValueType> outputs(TypedNode node) {
        String equation = node.string("equation", "").replace(" ", "");
        String[] sides = equation.split("->", -1);
        String[] terms = sides[0].split(",", -1);
        if (terms.length != node.inputs() || sides.length > 2) {
            throw node.invalid("equation '" + equation + "' does not fit " + node.inputs() + " inputs");
        }
        Map<Character, Long> sizes = new HashMap<>();
        long[] dotted = new long[0];
        for (int i = 0; i < terms.length; i++) {
            dotted = node.broadcast(dotted, match(node, terms[i], node.dims(i), sizes));
        }
        String result = sides.length == 2 ? sides[1] : implicitResult(terms);
        return List.of(node.type(0).withDims(dims(node, result, sizes, dotted)));
    }

    /** Notes the size of each letter, and returns the dimensions that the dots stand for. */
    private static long[] match(TypedNode node, String term, long[] dims, Map<Character, Long> sizes) {
        int dots = term.indexOf(DOTS);
        int letters = dots < 0 ? term.length() : term.length() - DOTS.length();
        if (dots < 0 && letters != dims.length || letters > dims.length) {
            throw node.invalid("term '" + term + "' does not fit an input of " + dims.length + " dimensions");
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
                throw node.invalid("index '" + term.charAt(i) + "' is " + other + " and " + dim);
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

    private static long[] dims(TypedNode node, String result, Map<Character, Long> sizes, long[] dotted) {
        int dots = result.indexOf(DOTS);
        String letters = result.replace(DOTS, "");
        long[] named = letters.chars().mapToLong(letter -> {
            Long size = sizes.get((char) letter);
            if (size == null) {
                throw node.invalid("result index '" + (char) letter + "' is in no input");
            }
            return size;
        }).toArray();
        if (dots < 0) {
            return named;
        }
        long[] before = Arrays.copyOf(named, dots);
        return Dims.concat(before, dotted, Dims.from(named, dots));
    }
}
