package dev.slipstream.pipelines.tokenizer;

import java.util.PriorityQueue;

/**
 * The pieces of one word while they are merged, as a list that is linked both ways: a merge takes the place of its left
 * piece. Takes {@code n log n} steps for n pieces.
 */
final class MergedPieces {
    private static final int GONE = -1;

    private final MergeTable merges;
    private final int[] ids;
    private final int[] origins;
    private final int[] next;
    private final int[] previous;
    /** Merges that are possible, or were: its rank above, the place of its left piece below. */
    private final PriorityQueue<Long> queue = new PriorityQueue<>();
    private int count;

    /** @param most pieces that will be added */
    MergedPieces(MergeTable merges, int most) {
        this.merges = merges;
        ids = new int[most];
        origins = new int[most];
        next = new int[most];
        previous = new int[most];
    }

    void add(int id, int origin) {
        ids[count] = id;
        origins[count] = origin;
        previous[count] = count - 1;
        next[count] = ++count;
    }

    void merge() {
        for (int left = 0; left < count; left++) {
            offer(left);
        }
        while (!queue.isEmpty()) {
            long first = queue.poll();
            int left = (int) first;
            int whole = merges.merged((int) (first >>> Integer.SIZE));
            if (isPossible(left, whole)) {
                join(left, whole);
            }
        }
    }

    private void offer(int left) {
        int rank = next[left] < count ? merges.rank(ids[left], ids[next[left]]) : MergeTable.NONE;
        if (rank != MergeTable.NONE) {
            queue.add((long) rank << Integer.SIZE | left);
        }
    }

    /** Whether a piece and the one after it still make the token that they made when they were queued. */
    private boolean isPossible(int left, int whole) {
        int rank = ids[left] != GONE && next[left] < count ? merges.rank(ids[left], ids[next[left]]) : MergeTable.NONE;
        return rank != MergeTable.NONE && merges.merged(rank) == whole;
    }

    private void join(int left, int whole) {
        int right = next[left];
        ids[left] = whole;
        ids[right] = GONE;
        next[left] = next[right];
        if (next[left] < count) {
            previous[next[left]] = left;
        }
        if (previous[left] >= 0) {
            offer(previous[left]);
        }
        offer(left);
    }

    void addTo(Encoding.Builder encoded) {
        for (int at = 0; at < count; at = next[at]) {
            encoded.add(ids[at], origins[at]);
        }
    }
}
