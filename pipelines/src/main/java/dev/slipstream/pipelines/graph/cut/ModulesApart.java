package dev.slipstream.pipelines.graph.cut;

import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * Modules of certain names, wherever they are, as a component of their own, the second; all else is the first.
 *
 * @param names last elements of module paths, such as {@code attn1}
 */
public record ModulesApart(Set<String> names) implements Division {
    public ModulesApart {
        names = Set.copyOf(names);
    }

    @Override
    public String name() {
        return String.join(" and ", names.stream().sorted().toList());
    }

    @Override
    public int size() {
        return 2;
    }

    /**
     * The second component's modules with its number.
     *
     * @throws GraphException if the graph has no such modules
     */
    Map<String, Integer> components(Graph graph) {
        Map<String, Integer> found = new HashMap<>();
        graph.nodes().forEach(node -> {
            for (String path = ModulePath.of(node); !path.isEmpty(); path = ModulePath.parent(path)) {
                if (names.contains(path.substring(path.lastIndexOf('.') + 1))) {
                    found.put(path, 1);
                }
            }
        });
        if (found.isEmpty()) {
            throw new GraphException("this denoiser has no modules named " + name());
        }
        return found;
    }
}
