package dev.slipstream.pipelines.diffusion.component;

import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.denoise.DeviceForm;
import dev.slipstream.pipelines.diffusion.denoise.MemoryNeed;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.shape.StaticShapes;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.pipelines.model.weights.StoredType;
import dev.slipstream.pipelines.run.BadValueException;
import dev.slipstream.pipelines.run.EngineRunner;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A component outside the loop, fixed to the types of its inputs; nothing is built yet.
 *
 * @param name what errors and timelines call it
 * @param graph the graph for these inputs
 * @param outputs their types, in the graph's order
 */
public record StaticGraph(String name, Graph graph, Map<String, TensorType> inputs,
    Map<String, TensorType> outputs) {

    /**
     * @param inputs the type of each input of the graph, all dimensions known
     * @throws dev.slipstream.pipelines.graph.GraphException if they do not fit the graph
     */
    public static StaticGraph fix(String name, Graph graph, Map<String, TensorType> inputs) {
        Graph fixed = StaticShapes.fix(graph, inputs);
        Map<String, TensorType> types = ValueInfos.types(fixed);
        Map<String, TensorType> outputs = new LinkedHashMap<>();
        for (ValueInfoProto output : fixed.outputs()) {
            outputs.put(output.getName(), types.get(output.getName()));
        }
        return new StaticGraph(name, fixed, inputs, outputs);
    }

    /** Name of the first output, which is the one that matters. */
    public String output() {
        return graph.outputs().getFirst().getName();
    }

    /** Type of the first input, often the only one. */
    public TensorType inputType() {
        return inputs.get(graph.inputs().getFirst().getName());
    }

    public TensorType outputType() {
        return outputs.get(output());
    }

    /** An estimate of what it takes of the heap. */
    long heapBytes() {
        return MemoryNeed.heapBytes(graph);
    }

    /**
     * What the engine has made, if all of it are numbers: what overflows here would look like the fault of its reader.
     *
     * @param made the bytes of each output
     * @throws BadValueException naming the component, its output, and what helps
     */
    Map<String, MemorySegment> finite(Map<String, MemorySegment> made) {
        outputs.forEach((output, type) -> {
            int bad = notFinite(type, made.get(output));
            if (bad > 0) {
                throw new BadValueException(name + " made " + bad + " of the " + type.shape().elements()
                    + " values of its output " + output + " NaN or infinite; " + (isHalf()
                    ? "it computes in fp16, which ends at 65504: take its weights in fp32 or bf16 (--vae lends another "
                    + "autoencoder)" : "its weights are damaged or do not belong to this model"));
            }
        });
        return made;
    }

    private static int notFinite(TensorType type, MemorySegment bytes) {
        StoredType stored = StoredType.of(type.type());
        if (!stored.isFloatingPoint()) {
            return 0;
        }
        int count = 0;
        for (float value : new StoredTensor(stored, type.shape(), bytes).toFloats()) {
            count += Float.isFinite(value) ? 0 : 1;
        }
        return count;
    }

    private boolean isHalf() {
        return graph.weights().values().stream()
            .anyMatch(weight -> weight.getDataType() == TensorProto.DataType.FLOAT16_VALUE);
    }

    /** Builds the engine; its owner closes it. */
    public EngineRunner build(Device device) {
        return new EngineRunner(device, DeviceForm.of(device).build(device, name, graph), inputs, outputs);
    }
}
