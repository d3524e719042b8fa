package dev.slipstream.pipelines.model.unet;

import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.OnnxRunner;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.GraphOptions;
import dev.slipstream.pipelines.model.kind.ComponentKinds;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import dev.slipstream.pipelines.model.weights.RandomCheckpoint;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** U-Nets of random weights, and what they compute. */
final class RandomUNet {
    private final OnnxRunner runner = new OnnxRunner();
    private final Map<String, OnnxTensor> inputs = new HashMap<>();

    /** The configuration, in a folder of its own. */
    static ConfigFile config(Path folder, String json) throws IOException {
        return RandomCheckpoint.config(Files.createDirectories(folder), json);
    }

    static Map<String, Shape> weights(ConfigFile config) {
        return ComponentKinds.of(config).weights(config);
    }

    /**
     * Writes weights.
     *
     * @param shared weights that are taken from others, as far as there are any
     * @param zero parts of names of weights that are 0
     */
    static Checkpoint write(ConfigFile config, Map<String, Shape> shapes, Map<String, StoredTensor> shared,
        String... zero) {
        RandomCheckpoint random = new RandomCheckpoint(shapes);
        Map<String, StoredTensor> weights = new LinkedHashMap<>();
        shapes.forEach((name, shape) -> weights.put(name, shared.getOrDefault(name,
            StoredTensor.of(shape, List.of(zero).stream().anyMatch(name::contains)
                ? new float[(int) shape.elements()] : random.values(name)))));
        Path folder = config.path().getParent();
        SafetensorsWriter.write(folder.resolve("model.safetensors"), weights, Map.of());
        return Checkpoint.open(folder);
    }

    static Graph graph(ConfigFile config, Checkpoint checkpoint, String... optional) {
        return ComponentKinds.of(config).write(config, checkpoint, GraphOptions.withInputs(List.of(optional))).graph();
    }

    /** Gives an input random values, the same for the same name and shape. */
    RandomUNet with(String name, long... shape) throws OrtException {
        return with(name, values(name, shape), shape);
    }

    RandomUNet with(String name, float[] values, long... shape) throws OrtException {
        inputs.put(name, runner.tensor(values, shape));
        return this;
    }

    RandomUNet at(long timestep) throws OrtException {
        inputs.put("timestep", runner.tensor(new long[] {timestep}, 1));
        return this;
    }

    /** @param name that the numbers are drawn for */
    static float[] values(String name, long... shape) {
        Random random = new Random(name.hashCode());
        float[] values = new float[(int) Shape.of(shape).elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /** The first output. */
    float[] run(Graph graph) throws OrtException {
        return all(graph).getFirst();
    }

    /** All outputs, in the graph's order. */
    List<float[]> all(Graph graph) throws OrtException {
        Map<String, OnnxTensor> made = runner.run(graph, inputs);
        List<float[]> all = new ArrayList<>();
        for (ValueInfoProto output : graph.outputs()) {
            all.add(OnnxRunner.floats(made.get(output.getName())));
        }
        return all;
    }

    long[] shape(Graph graph, String output) throws OrtException {
        return runner.run(graph, inputs).get(output).getInfo().getShape();
    }
}
