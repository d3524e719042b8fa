package dev.slipstream.pipelines.cache;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Finds those of many vectors of length 1 that make the smallest angles with another one. A few are all compared; from
 * a number on a graph is built beside, and what it does not have yet is compared one by one.
 *
 * <p>Vectors have places, from 0 up, which are never given again; those that were removed are still in the way of the
 * search, so who removes many begins anew. One thread at a time.
 */
final class Neighbours {
    /** Below, a graph saves little, and takes a millisecond an entry to build: docs/cache.md. */
    static final int WORTH_A_GRAPH = 30_000;

    private static final int ONE = Short.MAX_VALUE;
    private static final float UNIT = 1f / ONE / ONE;

    private final int worthAGraph;
    private final Executor builder;
    private final Optional<NeighbourFile> file;
    private final BitSet removed = new BitSet();
    private float[][] vectors = new float[64][];
    /** The same, one behind the other, as whole numbers: Java adds products of these many at a time. */
    private int[] rounded = new int[64 * Projection.SIZE];
    private int count;
    private @Nullable NeighbourGraph graph;

    /**
     * @param worthAGraph from so many on there is one
     * @param builder builds the graph, one task at a time
     * @param file where it is kept, if it is
     */
    Neighbours(int worthAGraph, Executor builder, Optional<NeighbourFile> file) {
        this.worthAGraph = worthAGraph;
        this.builder = builder;
        this.file = file;
    }

    /** @return its place. The array is not copied. */
    int add(float[] vector) {
        if (count == vectors.length) {
            vectors = Arrays.copyOf(vectors, 2 * count);
            rounded = Arrays.copyOf(rounded, 2 * rounded.length);
        }
        System.arraycopy(rounded(vector), 0, rounded, count * Projection.SIZE, Projection.SIZE);
        vectors[count] = vector;
        return count++;
    }

    void remove(int place) {
        removed.set(place);
    }

    /** Stops building, for good. */
    void close() {
        if (graph != null) {
            graph.close();
        }
    }

    /** How many of the vectors a search finds without comparing them one by one. */
    int inGraph() {
        return graph == null ? 0 : graph.size();
    }

    /** The places of the nearest, the nearest first. @param wanted says of a place whether it may be among them */
    int[] nearest(float[] vector, int most, IntPredicate wanted) {
        IntPredicate there = place -> !removed.get(place) && wanted.test(place);
        Nearest nearest = new Nearest(most);
        growGraph();
        int searched = graph == null ? 0 : graph.search(vector, most, there, nearest);
        compare(vector, IntStream.range(searched, count), there, nearest);
        return nearest.places();
    }

    /** Only when something is looked for: then all that is in a file is known, and a file's graph has its vectors. */
    private void growGraph() {
        if (count >= worthAGraph && graph == null) {
            graph = new NeighbourGraph(file);
        }
        if (graph != null) {
            graph.offer(vectors, count, builder);
        }
    }

    /** The same of some places only. */
    int[] nearest(float[] vector, int most, Collection<Integer> among, IntPredicate wanted) {
        Nearest nearest = new Nearest(most);
        compare(vector, among.stream().mapToInt(Integer::intValue), wanted, nearest);
        return nearest.places();
    }

    private void compare(float[] vector, IntStream among, IntPredicate wanted, Nearest nearest) {
        int[] wantedVector = rounded(vector);
        among.forEach(place -> {
            float score = UNIT * dot(wantedVector, rounded, place * Projection.SIZE);
            if (nearest.accepts(score) && wanted.test(place)) {
                nearest.offer(place, score);
            }
        });
    }

    private static int[] rounded(float[] vector) {
        int[] numbers = new int[vector.length];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = Math.round(vector[i] * ONE);
        }
        return numbers;
    }

    /** Vectors of length 1 have products of 1 at most, which is 2^30 here. */
    private static int dot(int[] a, int[] all, int from) {
        int sum = 0;
        for (int i = 0; i < Projection.SIZE; i++) {
            sum += a[i] * all[from + i];
        }
        return sum;
    }

    /** The best so far, in order. */
    static final class Nearest {
        private final int[] places;
        private final float[] scores;
        private int count;

        Nearest(int most) {
            places = new int[most];
            scores = new float[most];
        }

        boolean accepts(float score) {
            return count < places.length || score > scores[count - 1];
        }

        void offer(int place, float score) {
            if (!accepts(score)) {
                return;
            }
            int at = count < places.length ? count++ : count - 1;
            for (; at > 0 && scores[at - 1] < score; at--) {
                scores[at] = scores[at - 1];
                places[at] = places[at - 1];
            }
            scores[at] = score;
            places[at] = place;
        }

        int[] places() {
            return Arrays.copyOf(places, count);
        }
    }
}
