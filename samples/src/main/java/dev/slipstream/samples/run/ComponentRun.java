package dev.slipstream.samples.run;

import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.component.StaticGraph;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import dev.slipstream.pipelines.graph.shape.ShapingInputs;
import dev.slipstream.pipelines.model.kind.NamedOutput;
import dev.slipstream.pipelines.model.weights.SafetensorsFile;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.pipelines.run.EngineRunner;
import dev.slipstream.samples.reference.TensorConversion;
import dev.slipstream.samples.terminal.InputException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;

/** Those parts of a component for which there are inputs, known to fit what they are given and what is expected. */
final class ComponentRun {
    private final List<PartRun> runs = new ArrayList<>();

    /**
     * @param expected those of the outputs that are made, if there are any
     * @throws InputException naming inputs that are missing or that nothing takes, and outputs that nothing makes or
     *     that are of another shape
     */
    ComponentRun(ComponentFolder.Graphs component, SafetensorsFile inputs, ExpectedOutputs expected) {
        Set<String> wanted = expected.names();
        List<Part> chosen = choose(component, inputs);
        checkOutputs(component, chosen, wanted);
        for (Part part : chosen) {
            Part needed = wanted.isEmpty() ? part : part.only(wanted);
            if (!needed.outputs().isEmpty()) {
                runs.add(new PartRun(needed, inputs));
            }
        }
        expected.check(shapes());
    }

    private static List<Part> choose(ComponentFolder.Graphs component, SafetensorsFile inputs) {
        Set<String> given = inputs.tensors().keySet();
        Set<String> known = new LinkedHashSet<>();
        component.parts().forEach(part -> known.addAll(part.inputs()));
        List<String> unknown = given.stream().filter(name -> !known.contains(name)).toList();
        if (!unknown.isEmpty()) {
            throw new InputException(inputs.path() + " has " + String.join(", ", unknown) + ", which nothing takes; "
                + "inputs are " + String.join(", ", known));
        }
        // Of several parts those run for which there are inputs.
        boolean single = component.parts().size() == 1;
        List<Part> chosen = component.parts().stream()
            .filter(part -> single || part.inputs().stream().anyMatch(given::contains)).toList();
        for (Part part : chosen) {
            List<String> missing = part.inputs().stream().filter(name -> !given.contains(name)).toList();
            if (!missing.isEmpty()) {
                throw new InputException(inputs.path() + " lacks " + String.join(", ", missing) + ", which the "
                    + part.name() + " needs; it has " + (given.isEmpty() ? "nothing" : String.join(", ", given)));
            }
        }
        if (chosen.isEmpty()) {
            throw new InputException(inputs.path() + " is empty; it needs " + String.join(" or ", known));
        }
        return chosen;
    }

    private static void checkOutputs(ComponentFolder.Graphs component, List<Part> chosen, Set<String> wanted) {
        for (String name : wanted) {
            Part part = component.parts().stream().filter(it -> names(it).contains(name)).findFirst()
                .orElseThrow(() -> {
                    Set<String> known = new LinkedHashSet<>();
                    component.parts().forEach(it -> known.addAll(names(it)));
                    return new InputException("no output is called " + name + "; outputs are "
                        + String.join(", ", known));
                });
            if (!chosen.contains(part)) {
                throw new InputException("output " + name + " needs " + String.join(", ", part.inputs())
                    + ", which is not among the inputs");
            }
        }
    }

    private static List<String> names(Part part) {
        return part.outputs().stream().map(NamedOutput::name).toList();
    }

    /** The shape of each output. */
    private Map<String, Shape> shapes() {
        Map<String, Shape> shapes = new LinkedHashMap<>();
        runs.forEach(run -> run.part().outputs().forEach(output -> shapes.put(output.name(), run.shape(output))));
        return shapes;
    }

    /** Runs one part after another, so that the weights of one are in memory at a time. */
    Map<String, StoredTensor> run(Device device, Arena arena) {
        Map<String, StoredTensor> results = new LinkedHashMap<>();
        runs.forEach(run -> results.putAll(run.run(device, arena)));
        return results;
    }

    /** A part and the tensors to run it on, known to fit each other. */
    private static final class PartRun {
        private final Part part;
        private final StaticGraph model;
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
                    throw new InputException("input " + input.getName() + " of " + given.path() + " has fractions or "
                        + "what is no number, and the " + part.name() + " takes whole numbers");
                }
                types.put(input.getName(), new TensorType(type, tensor.shape()));
                inputs.put(input.getName(), tensor);
            }
            Map<String, List<Long>> shaping = new LinkedHashMap<>();
            for (String input : ShapingInputs.of(part.graph())) {
                StoredTensor tensor = inputs.remove(input);
                types.remove(input);
                shaping.put(input, LongStream.range(0, tensor.shape().elements())
                    .mapToObj(i -> (long) TensorConversion.element(tensor, i)).toList());
            }
            this.model = StaticGraph.fix(part.name(), ShapingInputs.bind(part.graph(), shaping), types);
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
}
