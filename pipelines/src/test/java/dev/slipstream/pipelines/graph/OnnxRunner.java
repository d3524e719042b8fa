package dev.slipstream.pipelines.graph;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import dev.slipstream.bridge.cpu.OnnxRuntime;
import dev.slipstream.pipelines.graph.cut.Partition;
import dev.slipstream.pipelines.graph.cut.Segment;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Runs graphs with ONNX Runtime, without optimisations unless asked for: those may join operators of what we cut apart,
 * and then results differ in the last bit.
 */
public final class OnnxRunner {
    private final OrtEnvironment environment = OnnxRuntime.environment();
    private final OptLevel level;

    public OnnxRunner(OptLevel level) {
        this.level = level;
    }

    public OnnxRunner() {
        this(OptLevel.NO_OPT);
    }

    public Map<String, OnnxTensor> run(Graph graph, Map<String, OnnxTensor> values) throws OrtException {
        try (SessionOptions options = new SessionOptions()) {
            options.setOptimizationLevel(level);
            options.setIntraOpNumThreads(1);
            if (graph.folder().isPresent()) {
                options.addConfigEntry("session.model_external_initializers_file_folder_path",
                    graph.folder().get().toString());
            }
            try (OrtSession session = environment.createSession(GraphFile.serialize(graph), options)) {
                Map<String, OnnxTensor> inputs = new HashMap<>();
                session.getInputNames().forEach(name -> inputs.put(name, values.get(name)));
                Map<String, OnnxTensor> outputs = new LinkedHashMap<>();
                // The tensors stay open: they may be inputs of the next run, and the process is short.
                for (Map.Entry<String, OnnxValue> output : session.run(inputs)) {
                    outputs.put(output.getKey(), (OnnxTensor) output.getValue());
                }
                return outputs;
            }
        }
    }

    /** Runs segments one after another, each on what the earlier ones made. */
    public Map<String, OnnxTensor> run(Partition partition, Map<String, OnnxTensor> inputs) throws OrtException {
        Map<String, OnnxTensor> values = new HashMap<>(inputs);
        for (Segment segment : partition.segments()) {
            values.putAll(run(segment.graph(), values));
        }
        return values;
    }

    public OnnxTensor tensor(float[] values, long... shape) throws OrtException {
        return OnnxTensor.createTensor(environment, FloatBuffer.wrap(values), shape);
    }

    public OnnxTensor tensor(long[] values, long... shape) throws OrtException {
        return OnnxTensor.createTensor(environment, LongBuffer.wrap(values), shape);
    }

    public static float[] floats(OnnxTensor tensor) {
        FloatBuffer buffer = tensor.getFloatBuffer();
        float[] values = new float[buffer.remaining()];
        buffer.get(values);
        return values;
    }
}
