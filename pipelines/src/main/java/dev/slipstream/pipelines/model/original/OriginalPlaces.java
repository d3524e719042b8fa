package dev.slipstream.pipelines.model.original;

import dev.slipstream.pipelines.model.original.KeyMap.Let;
import dev.slipstream.pipelines.model.original.KeyMap.Names;
import dev.slipstream.pipelines.model.original.KeyMap.Operation;
import dev.slipstream.pipelines.model.original.KeyMap.Rule;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Where the tensors of a transformer, or of motion modules, are in the original layout: the same tables, read the other
 * way. One tensor there may be several here, in the order of its rows.
 */
public final class OriginalPlaces {
    private static final List<KeyMap> TABLES = Stream.of("flux", "sd3", "motion").map(KeyTable::read).toList();
    /** What all have that a table is for, and others have not: queries of the text in joint attention, motion. */
    private static final List<String> MARKS = List.of("transformer_blocks.0.attn.add_q_proj.", "motion_modules.0.");
    private static final Pattern BRACES = Pattern.compile("\\{([^}]*)}");

    private OriginalPlaces() {
    }

    /**
     * The part of an original tensor's rows that a tensor is.
     *
     * @param tensor its name in diffusers
     * @param first share before it
     * @param shares how many it has
     * @param total how many there are
     * @param swapped whether the halves of its rows are the other way round there
     */
    public record Place(String tensor, int first, int shares, int total, boolean swapped) {
    }

    /**
     * @param names of a denoiser's tensors in diffusers
     * @return by the name in the original layout, without prefix; empty for denoisers that have no table
     */
    public static Map<String, List<Place>> of(Set<String> names) {
        if (names.stream().noneMatch(name -> MARKS.stream().anyMatch(name::contains))) {
            return Map.of();
        }
        for (KeyMap map : TABLES) {
            Map<String, List<Place>> places = places(map, names);
            if (map.needs().stream().allMatch(places::containsKey)) {
                return places;
            }
        }
        return Map.of();
    }

    private static Map<String, List<Place>> places(KeyMap map, Set<String> names) {
        Set<String> lets = new LinkedHashSet<>();
        map.lets().forEach(let -> lets.add(let.name()));
        Map<String, List<Place>> plain = places(map.rules().stream().filter(rule -> !mentions(rule, lets)).toList(),
            Map.of(), names);
        Map<String, Integer> values = new HashMap<>();
        for (Let let : map.lets()) {
            values.put(let.name(), let.value(plain.keySet()));
        }
        return places(map.rules(), values, names);
    }

    private static boolean mentions(Rule rule, Set<String> lets) {
        return BRACES.matcher(rule.original()).results().anyMatch(brace -> lets.contains(brace.group(1)));
    }

    private static Map<String, List<Place>> places(List<Rule> rules, Map<String, Integer> lets, Set<String> names) {
        Map<String, List<Place>> places = new LinkedHashMap<>();
        Set<String> placed = new LinkedHashSet<>();
        for (Rule rule : rules) {
            if (rule.operation() == Operation.IGNORE) {
                continue;
            }
            int total = rule.shares().stream().mapToInt(Integer::intValue).sum();
            int first = 0;
            for (int i = 0; i < rule.targets().size(); i++) {
                Pattern target = Names.pattern(rule.targets().get(i), lets);
                for (String name : names) {
                    Matcher matcher = target.matcher(name);
                    if (matcher.matches() && placed.add(name)) {
                        places.computeIfAbsent(Names.filled(rule.original(), matcher, lets), it -> new ArrayList<>())
                            .add(new Place(name, first, rule.shares().get(i), total,
                                rule.operation() == Operation.SWAP));
                    }
                }
                first += rule.shares().get(i);
            }
        }
        return places;
    }
}
