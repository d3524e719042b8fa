package dev.slipstream.samples.bench;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.graph.LinkedWeights;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What ONNX Runtime makes of a graph before it runs it on a CPU: the same optimisations as those of CPU devices. */
final class OptimizedGraph {
    private OptimizedGraph() {
    }

    /** Nodes by their operator, after optimisation. */
    static Map<String, Long> nodes(Graph given) {
        Graph graph = LinkedWeights.follow(given);
        try {
            Path folder = Files.createTempDirectory("slipstream-optimized");
            try (SessionOptions options = new SessionOptions()) {
                Path file = folder.resolve("model.onnx");
                options.setOptimizationLevel(OptLevel.ALL_OPT);
                options.setOptimizedModelFilePath(file.toString());
                // Else weights of over 2 GB would not fit into the file.
                options.addConfigEntry("session.optimized_model_external_initializers_file_name", "weights");
                if (graph.folder().isPresent()) {
                    options.addConfigEntry("session.model_external_initializers_file_folder_path",
                        graph.folder().get().toAbsolutePath().toString());
                }
                OrtEnvironment.getEnvironment().createSession(GraphFile.serialize(graph), options).close();
                return GraphFile.read(file).nodes().stream()
                    .collect(Collectors.groupingBy(node -> node.getOpType(), TreeMap::new, Collectors.counting()));
            } finally {
                delete(folder);
            }
        } catch (OrtException failure) {
            throw new IllegalStateException("ONNX Runtime cannot optimise the graph: " + failure.getMessage(), failure);
        } catch (IOException unwritable) {
            throw new UncheckedIOException("the optimised graph cannot be written: " + unwritable.getMessage(),
                unwritable);
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }
}
