package dev.slipstream.samples.run;

import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.ComponentModel;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import dev.slipstream.pipelines.model.SafetensorsFile;
import dev.slipstream.pipelines.model.StoredTensor;
import dev.slipstream.pipelines.run.EngineRunner;
import dev.slipstream.samples.InputException;
import dev.slipstream.samples.verify.TensorConversion;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;

/** A part and the tensors to run it on, known to fit each other. */
final class PartRun {
    private final Part part;
    private final ComponentModel model;
    private final Map<String, StoredTensor> inputs = new LinkedHashMap<>();

    /**
     * @param given a file with all inputs of the part, and maybe others
     * @throws InputException if one of them cannot be made what the graph takes
     * @throws dev.slipstream.pipelines.graph.GraphException if their shapes do not fit the graph
     */
    PartRun(Part part, SafetensorsFile given) {
        this.part = part;
        Map<String, TensorType> types = new LinkedHashMap<>();
        for (ValueInfoProto input : part.graph().inputs()) {
            StoredTensor tensor = given.tensor(input.getName());
            DataType type = InputTypes.element(input);
            if (tensor.shape().elements() == 0) {
                throw new InputException("input " + input.getName() + " of " + given.path() + " has no elements");
            }
            if (isWhole(type) && !isWhole(tensor)) {
                throw new InputException("input " + input.getName() + " of " + given.path() + " has fractions or what "
                    + "is no number, and the " + part.name() + " takes whole numbers");
            }
            types.put(input.getName(), new TensorType(type, tensor.shape()));
            inputs.put(input.getName(), tensor);
        }
        this.model = ComponentModel.fix(part.name(), part.graph(), types);
        for (NamedOutput output : part.outputs()) {
            if (model.outputs().get(output.tensor()) == null) {
                throw new InputException("output " + output.tensor() + " of the " + part.name() + " has an element "
                    + "type that no device takes");
            }
        }
    }

    private static boolean isWhole(DataType type) {
        return type == DataType.INT64 || type == DataType.INT32 || type == DataType.BOOL;
    }

    private static boolean isWhole(StoredTensor tensor) {
        for (long i = 0; i < tensor.shape().elements(); i++) {
            double value = TensorConversion.element(tensor, i);
            if (value != Math.rint(value) || Double.isInfinite(value)) {
                return false;
            }
        }
        return true;
    }

    Part part() {
        return part;
    }

    Shape shape(NamedOutput output) {
        return output.reading().shape(model.outputs().get(output.tensor()).shape());
    }

    /** Builds the engine, runs it once and closes it. @param arena where the results live */
    Map<String, StoredTensor> run(Device device, Arena arena) {
        Map<String, MemorySegment> bytes = new LinkedHashMap<>();
        inputs.forEach((name, tensor) ->
            bytes.put(name, TensorConversion.convert(tensor, model.inputs().get(name).type(), arena)));
        Map<String, StoredTensor> results = new LinkedHashMap<>();
        try (EngineRunner runner = model.build(device)) {
            Map<String, MemorySegment> made = runner.run(bytes, arena);
            for (NamedOutput output : part.outputs()) {
                results.put(output.name(),
                    output.reading().read(model.outputs().get(output.tensor()), made.get(output.tensor())));
            }
        }
        return results;
    }
}
