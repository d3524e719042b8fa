package dev.slipstream.pipelines.tokenizer;

import java.util.Arrays;
import java.util.Map;
import java.util.OptionalInt;

/**
 * The tokens of a text.
 *
 * @param ids in order
 * @param starts where in the text each begins, as an index of its characters
 */
public record Encoding(long[] ids, int[] starts) {
    /**
     * With ids that follow one another in place of the first of them.
     *
     * @param runs how many, by the first
     */
    public Encoding withRuns(Map<Long, Integer> runs) {
        Builder all = new Builder();
        for (int i = 0; i < ids.length; i++) {
            for (int k = 0; k < runs.getOrDefault(ids[i], 1); k++) {
                all.add(ids[i] + k, starts[i]);
            }
        }
        return all.build();
    }

    /** Whether some part of the text is a token that stands for anything. @param unknown its id */
    public boolean has(OptionalInt unknown) {
        return unknown.isPresent() && Arrays.stream(ids).anyMatch(id -> id == unknown.getAsInt());
    }

    /** Collects tokens. */
    static final class Builder {
        private long[] ids = new long[16];
        private int[] starts = new int[16];
        private int count;

        void add(long id, int start) {
            if (count == ids.length) {
                ids = Arrays.copyOf(ids, count * 2);
                starts = Arrays.copyOf(starts, count * 2);
            }
            ids[count] = id;
            starts[count++] = start;
        }

        void addAll(Builder others) {
            for (int i = 0; i < others.count; i++) {
                add(others.ids[i], others.starts[i]);
            }
        }

        Encoding build() {
            return new Encoding(Arrays.copyOf(ids, count), Arrays.copyOf(starts, count));
        }
    }
}
