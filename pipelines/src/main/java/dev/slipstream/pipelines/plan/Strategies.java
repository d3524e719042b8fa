package dev.slipstream.pipelines.plan;

import dev.slipstream.pipelines.plan.AsyncDiff.Staleness;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * Reads strategies from text, as the command line and the library take them: {@code NAME[:KEY=VALUE,...]}.
 *
 * <pre>
 *   sequential
 *   cfg-split
 *   asyncdiff:n=2,warmup=1,tail=0,stride=1,form=reuse|paper,shift,cut=NAME,staleness=pipelined|reference
 * </pre>
 */
public final class Strategies {
    /** The strategies by name, for help texts. */
    public static final List<String> NAMES = List.of("sequential", "cfg-split", "asyncdiff");

    private static final List<String> ASYNC_KEYS =
        List.of("n", "warmup", "tail", "stride", "form", "shift", "cut", "staleness");

    private Strategies() {
    }

    /** @throws PlanException naming what is not understood, and what there is */
    public static Strategy parse(String text) {
        int colon = text.indexOf(':');
        String name = (colon < 0 ? text : text.substring(0, colon)).strip();
        Map<String, String> settings = colon < 0 ? Map.of() : settings(text.substring(colon + 1), text);
        return switch (name) {
            case "sequential" -> without(settings, new Sequential());
            case "cfg-split" -> without(settings, new CfgSplit());
            case "asyncdiff" -> asyncDiff(settings);
            default -> throw new PlanException(
                "there is no plan '" + name + "'; there are " + String.join(", ", NAMES));
        };
    }

    private static Strategy without(Map<String, String> settings, Strategy strategy) {
        if (!settings.isEmpty()) {
            throw new PlanException(strategy.spec() + " takes no settings, not " + settings.keySet());
        }
        return strategy;
    }

    private static Map<String, String> settings(String text, String whole) {
        Map<String, String> settings = new LinkedHashMap<>();
        for (String setting : text.split(",")) {
            int equals = setting.indexOf('=');
            String key = (equals < 0 ? setting : setting.substring(0, equals)).strip();
            String value = equals < 0 ? "true" : setting.substring(equals + 1).strip();
            if (key.isEmpty() || settings.put(key, value) != null) {
                throw new PlanException("in plan '" + whole + "' a setting is empty or given twice: '" + setting + "'");
            }
        }
        return settings;
    }

    private static AsyncDiff asyncDiff(Map<String, String> settings) {
        TreeSet<String> unknown = new TreeSet<>(settings.keySet());
        ASYNC_KEYS.forEach(unknown::remove);
        if (!unknown.isEmpty()) {
            throw new PlanException("asyncdiff has no setting " + String.join(", ", unknown) + "; it has "
                + String.join(", ", ASYNC_KEYS));
        }
        Cadence cadence = new Cadence(number(settings, "warmup", 1), number(settings, "tail", 0),
            number(settings, "stride", 1), choice(settings, "form", "reuse", "paper").equals("reuse"),
            choice(settings, "shift", "false", "true").equals("true"));
        Staleness staleness = choice(settings, "staleness", "pipelined", "reference").equals("reference")
            ? Staleness.REFERENCE : Staleness.PIPELINED;
        return new AsyncDiff(number(settings, "n", 0), cadence, staleness, Optional.ofNullable(settings.get("cut")));
    }

    private static int number(Map<String, String> settings, String key, int otherwise) {
        String value = settings.getOrDefault(key, Integer.toString(otherwise));
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException notANumber) {
            throw new PlanException("asyncdiff: " + key + " is a whole number, not '" + value + "'");
        }
    }

    private static String choice(Map<String, String> settings, String key, String first, String second) {
        String value = settings.getOrDefault(key, first);
        if (!value.equals(first) && !value.equals(second)) {
            throw new PlanException("asyncdiff: " + key + " is " + first + " or " + second + ", not '" + value + "'");
        }
        return value;
    }
}
