package dev.slipstream.pipelines.tokenizer;

/** The merges of byte-pair encoding: which tokens make which together, and which merge comes first. */
final class MergeTable {
    static final int NONE = LongTable.NONE;

    private final LongTable ranks;
    private final int[] merged;
    private int count;

    /** @param size how many will be added */
    MergeTable(int size) {
        ranks = new LongTable(size);
        merged = new int[size];
    }

    /** Adds the next merge; of two with the same halves, the later one counts. */
    void add(int left, int right, int whole) {
        ranks.put(pair(left, right), count);
        merged[count++] = whole;
    }

    private static long pair(int left, int right) {
        return (long) left << Integer.SIZE | right;
    }

    /** The place of a merge in the list, or {@link #NONE}. */
    int rank(int left, int right) {
        return ranks.get(pair(left, right));
    }

    /** What a merge makes. */
    int merged(int rank) {
        return merged[rank];
    }
}
