package dev.slipstream.samples.run;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.SafetensorsFile;
import dev.slipstream.pipelines.model.StoredTensor;
import dev.slipstream.samples.InputException;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Those parts of a component for which there are inputs. */
final class ComponentRun {
    private final List<PartRun> runs = new ArrayList<>();

    /**
     * @param wanted names of the outputs to make; empty for all
     * @throws InputException naming inputs that are missing or that nothing takes, and outputs that nothing makes
     */
    ComponentRun(ComponentFolder component, SafetensorsFile inputs, Set<String> wanted) {
        List<Part> chosen = choose(component, inputs);
        checkOutputs(component, chosen, wanted);
        for (Part part : chosen) {
            Part needed = wanted.isEmpty() ? part : part.only(wanted);
            if (!needed.outputs().isEmpty()) {
                runs.add(new PartRun(needed, inputs));
            }
        }
    }

    private static List<Part> choose(ComponentFolder component, SafetensorsFile inputs) {
        Set<String> given = inputs.tensors().keySet();
        Set<String> known = new LinkedHashSet<>();
        component.parts().forEach(part -> known.addAll(part.inputs()));
        List<String> unknown = given.stream().filter(name -> !known.contains(name)).toList();
        if (!unknown.isEmpty()) {
            throw new InputException(inputs.path() + " has " + String.join(", ", unknown) + ", which nothing takes; "
                + "inputs are " + String.join(", ", known));
        }
        // Of several parts those run that were given something.
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

    private static void checkOutputs(ComponentFolder component, List<Part> chosen, Set<String> wanted) {
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
    Map<String, Shape> shapes() {
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
}
