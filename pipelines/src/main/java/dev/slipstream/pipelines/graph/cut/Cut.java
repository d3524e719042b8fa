package dev.slipstream.pipelines.graph.cut;

import dev.slipstream.pipelines.graph.GraphException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * How to cut a model into components, as people write it down: by the modules that belong to each.
 *
 * @param name what plans and errors call it: {@code contiguous}
 * @param components per component the prefixes of module paths, such as {@code up_blocks.1.resnets.0}. A node belongs
 *     to the component with the longest prefix of its module path, so "up_blocks" in one component and
 *     "up_blocks.1" in another is fine.
 * @param fresh modules that are in no component, such as a ControlNet that is joined with the model: each is cut off by
 *     itself, and runs at every step at which others read what it makes
 */
public record Cut(String name, List<List<String>> components, List<String> fresh) implements Division {
    /** @throws GraphException if there is no component, one is empty, or a prefix is empty or given twice */
    public Cut {
        components = components.stream().map(List::copyOf).toList();
        fresh = List.copyOf(fresh);
        if (components.isEmpty()) {
            throw new GraphException("cut '" + name + "' has no components");
        }
        Map<String, Integer> seen = new HashMap<>();
        for (int component = 0; component < components.size(); component++) {
            if (components.get(component).isEmpty()) {
                throw new GraphException("component " + component + " of cut '" + name + "' lists no modules");
            }
            for (String prefix : components.get(component)) {
                if (prefix.isBlank()) {
                    throw new GraphException("component " + component + " of cut '" + name + "' has an empty prefix");
                }
                Integer other = seen.put(prefix, component);
                if (other != null) {
                    throw new GraphException("cut '" + name + "' lists '" + prefix + "' twice, in components " + other
                        + " and " + component);
                }
            }
        }
    }

    /** A cut in which every module is in a component. */
    public Cut(String name, List<List<String>> components) {
        this(name, components, List.of());
    }

    /** The same with modules in no component, but for those that one lists. */
    public Cut withFresh(List<String> modules) {
        return new Cut(name, components, modules.stream().filter(module -> components.stream()
            .noneMatch(prefixes -> prefixes.contains(module))).toList());
    }

    @Override
    public OptionalInt own(String module) {
        if (fresh.contains(module) && components.stream().flatMap(List::stream)
            .noneMatch(prefix -> prefix.startsWith(module + "."))) {
            return OptionalInt.of(-1 - fresh.indexOf(module));
        }
        int component = components.indexOf(List.of(module));
        return component < 0 ? OptionalInt.empty() : OptionalInt.of(component);
    }

    @Override
    public int size() {
        return components.size();
    }
}
