package dev.slipstream.samples.bench;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import dev.slipstream.bridge.cpu.OnnxRuntime;
import dev.slipstream.bridge.file.TemporaryFolder;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.graph.LinkedWeights;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** What ONNX Runtime makes of a graph before it runs it on a CPU: the same optimisations as those of CPU devices. */
final class OptimizedGraph {
    private OptimizedGraph() {
    }

    /** Nodes by their operator, after optimisation. */
    static Map<String, Long> nodes(Graph given) {
        Graph graph = LinkedWeights.follow(given);
        OrtEnvironment environment = OnnxRuntime.environment();
        try (TemporaryFolder folder = TemporaryFolder.create("optimized");
            SessionOptions options = new SessionOptions()) {
            Path file = folder.path().resolve("model.onnx");
            options.setOptimizationLevel(OptLevel.ALL_OPT);
            options.setOptimizedModelFilePath(file.toString());
            // Else weights of over 2 GB would not fit into the file.
            options.addConfigEntry("session.optimized_model_external_initializers_file_name", "weights");
            if (graph.folder().isPresent()) {
                options.addConfigEntry("session.model_external_initializers_file_folder_path",
                    graph.folder().get().toAbsolutePath().toString());
            }
            environment.createSession(GraphFile.serialize(graph), options).close();
            return GraphFile.read(file).nodes().stream()
                .collect(Collectors.groupingBy(node -> node.getOpType(), TreeMap::new, Collectors.counting()));
        } catch (OrtException failure) {
            throw new IllegalStateException("ONNX Runtime cannot optimise the graph: " + failure.getMessage(), failure);
        } catch (IOException unwritable) {
            throw new UncheckedIOException("the optimised graph cannot be written: " + unwritable.getMessage(),
                unwritable);
        }
    }
}
