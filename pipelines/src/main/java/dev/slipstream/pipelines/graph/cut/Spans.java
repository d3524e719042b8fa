package dev.slipstream.pipelines.graph.cut;

import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Bytes that a run of pieces needs and does not make: tensors that come from other pieces, or weights, which come from
 * none. What several pieces of a run read counts once. Immutable.
 */
final class Spans {
    /** The maker of what no piece makes. */
    static final int OUTSIDE = -1;

    /**
     * What is made in one piece and read in others.
     *
     * @param maker the piece, or {@link #OUTSIDE}
     * @param readers the other pieces; of a maker only later ones
     */
    record Span(int maker, BitSet readers) {
    }

    private final long[] bytes;
    private final int[] makers;
    /** Per span and piece, the first reader from there on; the number of pieces where there is none. */
    private final int[][] next;
    private final long[][] into;

    /** @param bytes of each span; spans that are equal are added up beforehand */
    Spans(int pieces, Map<Span, Long> bytes) {
        List<Span> spans = List.copyOf(new HashMap<>(bytes).keySet());
        this.bytes = spans.stream().mapToLong(bytes::get).toArray();
        this.makers = spans.stream().mapToInt(Span::maker).toArray();
        this.next = new int[spans.size()][pieces + 1];
        this.into = new long[pieces + 1][pieces + 1];
        for (int span = 0; span < spans.size(); span++) {
            for (int piece = 0; piece <= pieces; piece++) {
                int reader = spans.get(span).readers().nextSetBit(piece);
                next[span][piece] = reader < 0 ? pieces : reader;
                if (reader >= 0 && (makers[span] < piece || makers[span] == OUTSIDE)) {
                    into[piece][reader + 1] += this.bytes[span];
                }
            }
        }
        for (int start = 0; start <= pieces; start++) {
            for (int end = start + 1; end <= pieces; end++) {
                into[start][end] += into[start][end - 1];
            }
        }
    }

    /** Of the pieces from {@code start} up to {@code end}, exclusive. */
    long into(int start, int end) {
        return into[start][end];
    }

    /** Of the pieces of two runs together, the first from {@code start} up to {@code inside}. */
    long into(int start, int inside, int again, int end) {
        if (again == end) {
            return into[start][inside];
        }
        long sum = into[start][inside];
        for (int span = 0; span < bytes.length; span++) {
            if (next[span][again] < end && next[span][start] >= inside
                && !(makers[span] >= start && makers[span] < inside)
                && !(makers[span] >= again && makers[span] < end)) {
                sum += bytes[span];
            }
        }
        return sum;
    }
}
