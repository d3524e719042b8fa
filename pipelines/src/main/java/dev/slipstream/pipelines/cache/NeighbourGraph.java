package dev.slipstream.pipelines.cache;

import dev.slipstream.bridge.file.DamagedFileException;
import dev.slipstream.pipelines.cache.NeighbourFile.Layer;
import dev.slipstream.pipelines.cache.NeighbourFile.Links;
import dev.slipstream.pipelines.cache.Neighbours.Nearest;
import io.github.jbellis.jvector.graph.GraphIndexBuilder;
import io.github.jbellis.jvector.graph.GraphSearcher;
import io.github.jbellis.jvector.graph.ImmutableGraphIndex.NodeAtLevel;
import io.github.jbellis.jvector.graph.NodeArray;
import io.github.jbellis.jvector.graph.NodesIterator;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntPredicate;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.slf4j.LoggerFactory;

/**
 * A graph of vectors by JVector (Vamana with layers above, as HNSW has them), in memory. It grows on another thread,
 * place after place, while it is searched; what a file has of it is not built again.
 */
final class NeighbourGraph {
    private static final org.slf4j.Logger LOG = LoggerFactory.getLogger(LatentCache.class);
    /** It warns that it is slower without a module that Java has not finished; that is no matter of our users. */
    private static final Logger TOLD = Logger.getLogger(VectorizationProvider.class.getName());
    private static final VectorTypeSupport VECTORS = vectors();
    private static final VectorSimilarityFunction DOT = VectorSimilarityFunction.DOT_PRODUCT;
    private static final int DEGREE = 32;
    private static final int BEAM_OF_BUILDING = 100;
    /** So many candidates are followed at least; fewer miss the nearest where many are nearly as near. */
    private static final int BEAM = 100;
    /** It is written again when it has grown by this part, so that an end costs some seconds of building at most. */
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
    NeighbourGraph(Optional<NeighbourFile> file) {
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
                restore(it);
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

    private OnHeapGraphIndex graph() {
        return (OnHeapGraphIndex) builder.getGraph();
    }

    /** Of what it has; on the thread that grows it. */
    Links links() {
        OnHeapGraphIndex graph = graph();
        List<Layer> layers = new ArrayList<>();
        for (int level = 0; level <= graph.entryNode().level; level++) {
            int[] places = graph.nodeStream(level).sorted().toArray();
            int[][] linked = new int[places.length][];
            for (int i = 0; i < places.length; i++) {
                NodesIterator each = graph.getNeighborsIterator(level, places[i]);
                linked[i] = new int[each.size()];
                for (int at = 0; each.hasNext(); at++) {
                    linked[i][at] = each.nextInt();
                }
            }
            layers.add(new Layer(places, linked));
        }
        return new Links(graph.entryNode().node, layers);
    }

    /** Takes links in place of building; how near the linked ones are is worked out. */
    private void restore(Links links) {
        OnHeapGraphIndex graph = graph();
        int[] top = new int[links.places()];
        for (int level = 0; level < links.layers().size(); level++) {
            Layer layer = links.layers().get(level);
            for (int i = 0; i < layer.places().length; i++) {
                NodeArray linked = new NodeArray(layer.linked()[i].length);
                for (int other : layer.linked()[i]) {
                    linked.insertSorted(other, DOT.compare(values.getVector(layer.places()[i]),
                        values.getVector(other)));
                }
                graph.connectNode(level, layer.places()[i], linked);
                top[layer.places()[i]] = level;
            }
        }
        for (int place = 0; place < top.length; place++) {
            graph.markComplete(new NodeAtLevel(top[place], place));
        }
        graph.updateEntryNode(new NodeAtLevel(links.layers().size() - 1, links.entry()));
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
