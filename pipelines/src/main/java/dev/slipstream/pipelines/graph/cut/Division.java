package dev.slipstream.pipelines.graph.cut;

import java.util.Map;
import java.util.OptionalInt;

/** How a graph falls into components. Immutable; it divides any graph that has the modules or tensors that it names. */
public sealed interface Division permits Cut, TensorCut, ModulesApart {
    /** What plans and errors call it. */
    String name();

    /** Number of components. */
    int size();

    /**
     * The component that a module has to itself; negative where it is in none. Empty where it shares one, or its parts
     * are in several.
     */
    default OptionalInt own(String module) {
        return OptionalInt.empty();
    }

    /** Tensors that a component makes by adding to one that enters it, and that one. */
    default Map<String, String> residuals() {
        return Map.of();
    }
}
