package dev.slipstream.samples.bench;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import com.sun.management.ThreadMXBean;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.cpu.OnnxRuntime;
import dev.slipstream.bridge.file.TemporaryFolder;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.graph.LinkedWeights;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * ONNX Runtime alone, as its own Java layer is used at best: a session, tensors that are made once, and a loop. What
 * this allocates on the heap no library on top of it can avoid.
 */
final class BareOnnxRuntime {
    private static final int WARM_UP = 5;
    private static final int RUNS = 20;

    private BareOnnxRuntime() {
    }

    /** Bytes on the heap for one run of the graph with outputs that are given. */
    static long heapBytesPerRun(Graph given, Map<String, TensorType> types) {
        Graph graph = LinkedWeights.follow(given);
        OrtEnvironment environment = OnnxRuntime.environment();
        List<OnnxTensor> made = new ArrayList<>();
        try (SessionOptions options = new SessionOptions()) {
            options.setIntraOpNumThreads(1);
            if (graph.folder().isPresent()) {
                options.addConfigEntry("session.model_external_initializers_file_folder_path",
                    graph.folder().get().toAbsolutePath().toString());
            }
            try (OrtSession session = environment.createSession(GraphFile.serialize(graph), options)) {
                Map<String, OnnxTensor> inputs = tensors(session.getInputNames(), types, made);
                Map<String, OnnxTensor> outputs = tensors(session.getOutputNames(), types, made);
                run(session, inputs, outputs, WARM_UP);
                ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
                long before = threads.getCurrentThreadAllocatedBytes();
                run(session, inputs, outputs, RUNS);
                return (threads.getCurrentThreadAllocatedBytes() - before) / RUNS;
            }
        } catch (OrtException failure) {
            throw new IllegalStateException("ONNX Runtime alone cannot run the graph: " + failure.getMessage(),
                failure);
        } finally {
            made.forEach(OnnxTensor::close);
        }
    }

    /** Nodes by their operator, after optimisation. */
    static Map<String, Long> optimizedNodes(Graph given) {
        Graph graph = LinkedWeights.follow(given);
        OrtEnvironment environment = OnnxRuntime.environment();
        try (TemporaryFolder folder = TemporaryFolder.create("optimized");
            SessionOptions options = new SessionOptions()) {
            Path file = folder.path().resolve("model.onnx");
            options.setOptimizationLevel(OptLevel.ALL_OPT);
            options.setOptimizedModelFilePath(file.toString());
            // Weights of more than 2 GB do not fit into the file itself.
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

    private static void run(OrtSession session, Map<String, OnnxTensor> inputs, Map<String, OnnxTensor> outputs,
        int times) throws OrtException {
        for (int i = 0; i < times; i++) {
            session.run(inputs, Set.of(), outputs).close();
        }
    }

    private static Map<String, OnnxTensor> tensors(Set<String> names, Map<String, TensorType> types,
        List<OnnxTensor> made) throws OrtException {
        Map<String, OnnxTensor> tensors = new LinkedHashMap<>();
        for (String name : names) {
            TensorType type = types.get(name);
            ByteBuffer zeros =
                ByteBuffer.allocateDirect(Math.toIntExact(type.bytes())).order(ByteOrder.nativeOrder());
            OnnxTensor tensor = OnnxTensor.createTensor(OnnxRuntime.environment(), zeros,
                type.shape().toArray(), javaType(type));
            made.add(tensor);
            tensors.put(name, tensor);
        }
        return tensors;
    }

    private static OnnxJavaType javaType(TensorType type) {
        return switch (type.type()) {
            case FLOAT32 -> OnnxJavaType.FLOAT;
            case FLOAT16 -> OnnxJavaType.FLOAT16;
            case BFLOAT16 -> OnnxJavaType.BFLOAT16;
            case INT64 -> OnnxJavaType.INT64;
            case INT32 -> OnnxJavaType.INT32;
            case BOOL -> OnnxJavaType.BOOL;
        };
    }
}
