package dev.slipstream.pipelines.cache;

import dev.slipstream.bridge.file.DamagedFileException;
import dev.slipstream.pipelines.cache.NeighbourFile.Links;
import io.github.jbellis.jvector.graph.GraphIndexBuilder;
import io.github.jbellis.jvector.graph.GraphSearcher;
import io.github.jbellis.jvector.graph.OnHeapGraphIndex;
import io.github.jbellis.jvector.graph.RandomAccessVectorValues;
import io.github.jbellis.jvector.graph.SearchResult;
import io.github.jbellis.jvector.graph.similarity.BuildScoreProvider;
import io.github.jbellis.jvector.graph.similarity.DefaultSearchScoreProvider;
import io.github.jbellis.jvector.vector.VectorSimilarityFunction;
import io.github.jbellis.jvector.vector.VectorizationProvider;
import io.github.jbellis.jvector.vector.types.VectorFloat;
import io.github.jbellis.jvector.vector.types.VectorTypeSupport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.NoSuchFileException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntPredicate;
import java.util.logging.Level;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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

    private static final Logger LOG = LoggerFactory.getLogger(LatentCache.class);
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
    private @Nullable Graph graph;

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

    /** The same of some places only. */
    int[] nearest(float[] vector, int most, Collection<Integer> among, IntPredicate wanted) {
        Nearest nearest = new Nearest(most);
        compare(vector, among.stream().mapToInt(Integer::intValue), wanted, nearest);
        return nearest.places();
    }

    /** Only when something is looked for: then all that is in a file is known, and a file's graph has its vectors. */
    private void growGraph() {
        if (count >= worthAGraph && graph == null) {
            graph = new Graph(file);
        }
        if (graph != null) {
            graph.offer(vectors, count, builder);
        }
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

    /**
     * A graph of vectors by JVector (Vamana with layers above, as HNSW has them), in memory. It grows on another
     * thread, place after place, while it is searched; what a file has of it is not built again.
     */
    static final class Graph {
        /** It warns that it is slower without a module that Java has not finished; that is no matter of our users. */
        private static final java.util.logging.Logger TOLD =
            java.util.logging.Logger.getLogger(VectorizationProvider.class.getName());
        private static final VectorTypeSupport VECTORS = vectors();
        private static final VectorSimilarityFunction DOT = VectorSimilarityFunction.DOT_PRODUCT;
        private static final int DEGREE = 32;
        private static final int BEAM_OF_BUILDING = 100;
        /** So many candidates are followed at least; fewer miss the nearest where many are nearly as near. */
        private static final int BEAM = 100;
        /** It is written again when it has grown by this part, so that an end costs some seconds of building. */
        private static final double WRITTEN_AFTER = 1.0 / 16;
        /** While it grows. */
        private static final int WRITTEN_AT_LEAST = 5000;

        private final Optional<NeighbourFile> file;
        private volatile float[][] vectors = {};
        private volatile int offered;
        private volatile int size;
        private volatile boolean closed;
        private final AtomicBoolean growing = new AtomicBoolean();
        private final RandomAccessVectorValues values = new Values();
        private final GraphIndexBuilder builder = new GraphIndexBuilder(
            BuildScoreProvider.randomAccessScoreProvider(values, DOT), Projection.SIZE, DEGREE, BEAM_OF_BUILDING, 1.2f,
            1.2f, true, true, ForkJoinPool.commonPool(), ForkJoinPool.commonPool());
        /** Of the thread that grows it. */
        private boolean read;
        private int written;

        private static VectorTypeSupport vectors() {
            if (TOLD.getLevel() == null) {
                TOLD.setLevel(Level.SEVERE);
            }
            return VectorizationProvider.getInstance().getVectorTypeSupport();
        }

        /** @param file where it is kept, if it is */
        Graph(Optional<NeighbourFile> file) {
            this.file = file;
        }

        /** The array may have grown; what is in it stays. */
        void offer(float[][] all, int count, Executor executor) {
            vectors = all;
            offered = count;
            if (growing.compareAndSet(false, true)) {
                executor.execute(this::grow);
            }
        }

        private void grow() {
            if (!read && !closed) {
                read = file.map(this::read).orElse(true);
            }
            do {
                while (read && !closed && size < offered) {
                    builder.addGraphNode(size, values.getVector(size));
                    size++;
                    // Also when it ends in the midst, so that processes that are short-lived come to an end together.
                    if (closed || size == offered || size - written > WRITTEN_AT_LEAST) {
                        file.filter(_ -> size - written > WRITTEN_AFTER * written).ifPresent(this::write);
                    }
                }
                growing.set(false);
                // What was offered just now found this still growing.
            } while (read && !closed && size < offered && growing.compareAndSet(false, true));
        }

        /** @return false if it has places that are not offered yet, so that it is to be read later */
        private boolean read(NeighbourFile from) {
            try {
                Optional<Links> links = from.read(offered);
                links.ifPresent(it -> {
                    it.restore((OnHeapGraphIndex) builder.getGraph(),
                        (one, other) -> DOT.compare(values.getVector(one), values.getVector(other)));
                    size = it.places();
                    written = size;
                });
                return links.isPresent();
            } catch (NoSuchFileException absent) {
                return true;
            } catch (DamagedFileException useless) {
                LOG.warn("latent cache: a graph of neighbours is built again: {}", useless.getMessage());
                delete(from);
                return true;
            } catch (IOException unreadable) {
                LOG.debug("latent cache: a graph of neighbours cannot be read", unreadable);
                return true;
            }
        }

        private static void delete(NeighbourFile damaged) {
            try {
                damaged.delete();
            } catch (IOException unwritable) {
                LOG.debug("latent cache: a graph of neighbours cannot be deleted", unwritable);
            }
        }

        private void write(NeighbourFile to) {
            written = size;
            try {
                to.write(links());
            } catch (IOException unwritable) {
                LOG.debug("latent cache: a graph of neighbours cannot be written", unwritable);
            }
        }

        /** Of what it has; on the thread that grows it. */
        Links links() {
            return Links.of((OnHeapGraphIndex) builder.getGraph());
        }

        int size() {
            return size;
        }

        void close() {
            closed = true;
        }

        /** Offers what it finds. @return how many places it knows, from 0 */
        int search(float[] vector, int most, IntPredicate wanted, Nearest nearest) {
            int known = size;
            if (known == 0) {
                return 0;
            }
            try (GraphSearcher searcher = new GraphSearcher(builder.getGraph())) {
                SearchResult found = searcher.search(
                    DefaultSearchScoreProvider.exact(VECTORS.createFloatVector(vector), DOT, values), most,
                    Math.max(BEAM, most), 0, 0, place -> place < known && wanted.test(place));
                for (SearchResult.NodeScore node : found.getNodes()) {
                    // JVector's score of a product is (1 + product) / 2.
                    nearest.offer(node.node, 2 * node.score - 1);
                }
            } catch (IOException impossible) {
                throw new UncheckedIOException(impossible);
            }
            return known;
        }

        private final class Values implements RandomAccessVectorValues {
            @Override
            public int size() {
                return offered;
            }

            @Override
            public int dimension() {
                return Projection.SIZE;
            }

            @Override
            public VectorFloat<?> getVector(int place) {
                return VECTORS.createFloatVector(vectors[place]);
            }

            @Override
            public boolean isValueShared() {
                return false;
            }

            @Override
            public RandomAccessVectorValues copy() {
                return this;
            }
        }
    }
}
