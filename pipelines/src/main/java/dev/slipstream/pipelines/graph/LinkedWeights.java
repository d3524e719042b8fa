package dev.slipstream.pipelines.graph;

import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.pipelines.file.HubCache;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Weights in files that are symbolic links, as in the cache of the Hugging Face hub. ONNX Runtime refuses weights that
 * a link leads out of the model's folder to, so engines are built from graphs that say where the files really are.
 */
public final class LinkedWeights {
    private LinkedWeights() {
    }

    /**
     * The same graph with the real files of its weights, relative to a folder that has them all; the graph itself if no
     * link leads out of its folder.
     *
     * @throws GraphException if a file is missing, or they are on several drives
     */
    public static Graph follow(Graph graph) {
        Map<String, Path> targets = new LinkedHashMap<>();
        Path folder;
        try {
            for (Map.Entry<String, Path> file : ExternalData.files(graph).entrySet()) {
                targets.put(file.getKey(), file.getValue().toRealPath());
            }
            if (targets.isEmpty()) {
                return graph;
            }
            folder = shared(targets.values());
            if (folder.startsWith(graph.folder().orElseThrow().toRealPath())) {
                return graph;
            }
        } catch (IOException failed) {
            throw new GraphException("cannot find the files of the weights: " + failed, failed);
        }
        Map<String, TensorProto> weights = new LinkedHashMap<>(graph.weights());
        weights.replaceAll((name, weight) -> ExternalData.range(weight).map(range ->
            ExternalData.at(weight, folder.relativize(targets.get(range.location())))).orElse(weight));
        return graph.withWeights(folder, weights);
    }

    /** The deepest folder that all files are in. */
    private static Path shared(Iterable<Path> files) {
        Path shared = null;
        for (Path file : files) {
            shared = shared == null ? file.getParent() : shared;
            while (shared != null && !file.startsWith(shared)) {
                shared = shared.getParent();
            }
            if (shared == null) {
                throw new GraphException("weights are on several drives, where engines do not find them; put " + file
                    + " beside the others");
            }
        }
        return shared;
    }

    /** @throws GraphException if a link leads from the model's file to what is no part of the model */
    static void check(Graph graph, Path onnx) throws IOException {
        for (Path file : ExternalData.files(graph).values()) {
            if (HubCache.leadsOut(onnx, file)) {
                throw new GraphException(file + " is a link out of the folder, to " + file.toRealPath()
                    + "; put the file itself there");
            }
        }
    }
}
