package dev.slipstream.pipelines.graph.fusion;

import dev.slipstream.pipelines.graph.fusion.StridedView.Factor;
import java.util.List;
import java.util.Optional;

/**
 * Sizes of a tensor that holds heads side by side: [rows, tokens, heads · width].
 *
 * @param width elements of a token in one head
 */
public record HeadsLayout(long rows, long heads, long tokens, long width) {
    /**
     * Reads a layout off a view that shows [rows · heads, tokens, width]; the first axis may be several. Empty if
     * the source does not hold heads side by side, or only one token, which leaves open where heads begin.
     */
    static Optional<HeadsLayout> of(StridedView view) {
        if (view.axes().size() < 2 || size(view.flat()) == 0) {
            return Optional.empty();
        }
        StridedView joined = view.joined(2);
        List<Factor> tokens = joined.axes().get(1);
        if (tokens.size() != 1) {
            return Optional.empty();
        }
        long width = size(joined.axes().get(2));
        long heads = tokens.getFirst().stride() / width;
        if (heads == 0 || size(joined.axes().getFirst()) % heads != 0) {
            return Optional.empty();
        }
        HeadsLayout layout = new HeadsLayout(size(joined.axes().getFirst()) / heads, heads,
            tokens.getFirst().size(), width);
        return layout.headsFirst().joined(2).equals(joined) ? Optional.of(layout) : Optional.empty();
    }

    private static long size(List<Factor> axis) {
        return axis.stream().mapToLong(Factor::size).reduce(1, Math::multiplyExact);
    }

    /** What comes out where these are queries: heads as wide as those of the values. Empty if sizes do not fit. */
    Optional<HeadsLayout> attending(HeadsLayout keys, HeadsLayout values) {
        boolean fits = new HeadsLayout(rows, heads, keys.tokens, width).equals(keys)
            && new HeadsLayout(rows, heads, keys.tokens, values.width).equals(values);
        return fits ? Optional.of(new HeadsLayout(rows, heads, tokens, values.width)) : Optional.empty();
    }

    /** The source as [rows, heads, tokens, width]. */
    StridedView headsFirst() {
        return StridedView.of(List.of(rows, tokens, heads, width)).transposed(List.of(0, 2, 1, 3));
    }

    /** A tensor [rows, heads, tokens, width] as [rows, tokens, heads, width]. */
    StridedView tokensFirst() {
        return StridedView.of(List.of(rows, heads, tokens, width)).transposed(List.of(0, 2, 1, 3));
    }

    /** Of the source. */
    public List<Long> dims() {
        return List.of(rows, tokens, heads * width);
    }
}
