package dev.slipstream.pipelines.plan;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A way to make plans. Implementations are records of their settings. Immutable; any thread may use it.
 */
public sealed interface Strategy permits Sequential, CfgSplit, AsyncDiff, Cache {
    /** The strategies by name, for help texts. */
    List<String> NAMES = List.of("sequential", "cfg-split", "asyncdiff", "cache");

    /**
     * Reads a strategy, as the command line and the library take it: {@code NAME[:KEY=VALUE,...]}.
     *
     * <pre>
     *   sequential
     *   cfg-split
     *   asyncdiff:n=2,warmup=1,tail=0,stride=1,form=reuse|paper,shift,cut=NAME,staleness=pipelined|reference
     *   cache:every=3|steps=0+2+5,depth=1,warmup=3,tail=0,cut=NAME
     * </pre>
     *
     * @throws PlanException naming what is not understood, and what there is
     */
    static Strategy parse(String text) {
        String[] parts = text.split(":", 2);
        String name = parts[0].strip();
        Map<String, String> settings = parts.length == 1 ? Map.of() : settings(parts[1], text);
        return switch (name) {
            case "sequential" -> without(settings, new Sequential());
            case "cfg-split" -> without(settings, new CfgSplit());
            case "asyncdiff" -> AsyncDiff.parse(new Settings(name, settings));
            case "cache" -> Cache.parse(new Settings(name, settings));
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
            String[] parts = setting.split("=", 2);
            String key = parts[0].strip();
            String value = parts.length == 2 ? parts[1].strip() : key.equals("shift") ? "true" : "";
            if (key.isEmpty()) {
                throw new PlanException("in plan '" + whole + "' a setting is empty; write them like warmup=3,tail=1");
            }
            if (settings.put(key, value) != null) {
                throw new PlanException("in plan '" + whole + "' the setting " + key + " is given twice");
            }
        }
        return settings;
    }

    /** What is planned on so many devices if nothing else is said. */
    static Strategy usual(int devices) {
        return devices > 1 ? AsyncDiff.usual().withWarmUp(3) : new Sequential();
    }

    /** Into how many components the denoiser must be cut for this many devices. */
    int components(int devices);

    /** On how many devices it runs if nothing else is said. */
    int usualDevices();

    /** Whether the guidance branches run apart, so that stages see half of the guidance batch. */
    default boolean splitsGuidance() {
        return false;
    }

    /**
     * How many layers of the denoiser, counted from its ends, are in a component of their own, the first; the rest is
     * the second. Empty where components are parts of equal rank.
     */
    default OptionalInt shellDepth() {
        return OptionalInt.empty();
    }

    /** The name of the cut to use, if the user asked for one. */
    default Optional<String> cut() {
        return Optional.empty();
    }

    /**
     * What can be known before anything is cut.
     *
     * @param guided whether classifier-free guidance doubles the batch
     * @throws PlanException if the devices do not fit
     */
    default void check(int devices, boolean guided) {
    }

    /**
     * Places the segments.
     *
     * @param segments in an order in which they can run; of as many components as {@link #components} says
     * @param prediction the tensor that the noise scheduler consumes
     * @param guided whether classifier-free guidance doubles the batch
     * @throws PlanException if the devices do not fit
     */
    Plan plan(List<SegmentOutline> segments, String prediction, int devices, boolean guided);

    /** The strategy and its settings, as {@link #parse} reads them. */
    String spec();
}
