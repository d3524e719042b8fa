package dev.slipstream.pipelines.graph.cut;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * A division at tensors.
 *
 * @param ends for each part but the last the tensors at its end: it is what they need and no earlier part has. The last
 *     part is the rest
 * @param components of each part, one more than there are ends; several parts may be of one component
 * @param repeats of components how many parts from the first on they do again for themselves, in place of reading what
 *     others make in them
 * @param fresh modules that are in no part and no component, as those of a {@link Cut}
 */
public record TensorCut(String name, List<List<String>> ends, List<Integer> components, Map<Integer, Integer> repeats,
    Map<String, String> residuals, List<String> fresh) implements Division {

    public TensorCut {
        ends = ends.stream().map(List::copyOf).toList();
        components = List.copyOf(components);
        repeats = Map.copyOf(repeats);
        residuals = Map.copyOf(residuals);
        fresh = List.copyOf(fresh);
        if (components.size() != ends.size() + 1) {
            throw new IllegalArgumentException(ends.size() + " ends make " + (ends.size() + 1) + " parts, not "
                + components.size());
        }
    }

    @Override
    public OptionalInt own(String module) {
        int index = fresh.indexOf(module);
        return index < 0 ? OptionalInt.empty() : OptionalInt.of(-1 - index);
    }

    @Override
    public int size() {
        Set<Integer> distinct = new HashSet<>(components);
        return distinct.size();
    }
}
