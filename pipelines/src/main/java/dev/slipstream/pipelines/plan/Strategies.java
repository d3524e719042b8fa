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

    /** More than any loop has. */
    private static final int MOST_STEPS = 10_000;
    private static final int MOST_PARTS = 256;

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
        for (String setting : text.split(",", -1)) {
            int equals = setting.indexOf('=');
            String key = (equals < 0 ? setting : setting.substring(0, equals)).strip();
            String value = equals < 0 ? key.equals("shift") ? "true" : "" : setting.substring(equals + 1).strip();
            if (key.isEmpty()) {
                throw new PlanException("in plan '" + whole + "' a setting is empty; write them like warmup=3,tail=1");
            }
            if (settings.put(key, value) != null) {
                throw new PlanException("in plan '" + whole + "' the setting " + key + " is given twice");
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
        settings.forEach((key, value) -> {
            if (value.isEmpty()) {
                throw new PlanException("asyncdiff: " + key + " has no value; write " + key + "=VALUE");
            }
        });
        Cadence cadence = new Cadence(number(settings, "warmup", 1, 1, MOST_STEPS),
            number(settings, "tail", 0, 0, MOST_STEPS), number(settings, "stride", 1, 1, 2),
            choice(settings, "form", "reuse", "paper").equals("reuse"),
            choice(settings, "shift", "false", "true").equals("true"));
        Staleness staleness = choice(settings, "staleness", "pipelined", "reference").equals("reference")
            ? Staleness.REFERENCE : Staleness.PIPELINED;
        int parts = settings.containsKey("n") ? number(settings, "n", 2, 2, MOST_PARTS) : 0;
        return new AsyncDiff(parts, cadence, staleness, Optional.ofNullable(settings.get("cut")));
    }

    private static int number(Map<String, String> settings, String key, int otherwise, int least, int most) {
        String value = settings.getOrDefault(key, Integer.toString(otherwise));
        try {
            int number = Integer.parseInt(value);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException notANumber) {
            // The same answer as for a number that is out of range.
        }
        String range = most == least + 1 ? least + " or " : "a whole number from " + least + " to ";
        throw new PlanException("asyncdiff: " + key + " is " + range + most + ", not '" + value + "'");
    }

    private static String choice(Map<String, String> settings, String key, String first, String second) {
        String value = settings.getOrDefault(key, first);
        if (!value.equals(first) && !value.equals(second)) {
            throw new PlanException("asyncdiff: " + key + " is " + first + " or " + second + ", not '" + value + "'");
        }
        return value;
    }
}
