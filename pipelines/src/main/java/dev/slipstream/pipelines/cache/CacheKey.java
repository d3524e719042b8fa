package dev.slipstream.pipelines.cache;

import dev.slipstream.bridge.file.Sha256;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * All that must be equal before one request may go on from what another has drawn; only prompts and seeds may differ.
 * Immutable.
 *
 * @param namespace whose pictures they are, a tenant's for example: 1 to 64 of {@code a-z 0-9 _ -}, as it is the name
 *     of a folder on all systems. One namespace never sees what another has drawn.
 * @param facts by name, at least those of {@link #NEEDED}; they are kept in clear, so what people have written, like a
 *     negative prompt, goes in as {@link LatentCache#hash}
 */
public record CacheKey(String namespace, SortedMap<String, String> facts) {
    /** The denoiser's weights and configuration, by content. */
    public static final String MODEL = "model";
    /** LoRAs, ControlNets and embeddings, by content, with their weights; empty for none. */
    public static final String ADAPTERS = "adapters";
    /** The noise scheduler with all its settings. */
    public static final String SCHEDULER = "scheduler";
    /** How many a request has, from 1 up. */
    public static final String STEPS = "steps";
    /** Of the latents: {@code [1, 4, 64, 64]}. */
    public static final String LATENTS = "latents";
    /** Of the conditioning, which tells how many tokens there are: {@code [77, 768]}. */
    public static final String CONDITIONING = "conditioning";
    /** Weight, rescaling and what else shapes it. */
    public static final String GUIDANCE = "guidance";
    /** Hash of the negative prompt. */
    public static final String NEGATIVE = "negative";
    /** What a key cannot be without. A family's other conditions have names of their own. */
    public static final List<String> NEEDED =
        List.of(MODEL, ADAPTERS, SCHEDULER, STEPS, LATENTS, CONDITIONING, GUIDANCE, NEGATIVE);
    /** The namespace of those who name none. */
    public static final String DEFAULT_NAMESPACE = "default";

    private static final Pattern NUMBER = Pattern.compile("[1-9][0-9]{0,8}");
    private static final Pattern NAMESPACE = Pattern.compile("[a-z0-9_-]{1,64}");

    /** @throws IllegalArgumentException if the namespace is no such name, a fact is missing, or steps are no number */
    public CacheKey {
        checkNamespace(namespace);
        facts = Collections.unmodifiableSortedMap(new TreeMap<>(facts));
        for (String needed : NEEDED) {
            if (!facts.containsKey(needed)) {
                throw new IllegalArgumentException("the key of a cached picture lacks '" + needed + "'");
            }
        }
        String steps = facts.get(STEPS);
        if (!NUMBER.matcher(steps).matches()) {
            throw new IllegalArgumentException("a cached picture has a number of steps, not '" + steps + "'");
        }
    }

    /** Of the whole request. */
    public int steps() {
        return Integer.parseInt(Objects.requireNonNull(facts.get(STEPS)));
    }

    /** A key of the default namespace. */
    public static CacheKey of(Map<String, String> facts) {
        return new CacheKey(DEFAULT_NAMESPACE, new TreeMap<>(facts));
    }

    /** The same for another namespace. */
    public CacheKey in(String other) {
        return new CacheKey(other, facts);
    }

    /** @throws IllegalArgumentException if it is no name of a namespace */
    public static void checkNamespace(String name) {
        if (!isNamespace(name)) {
            throw new IllegalArgumentException("'" + name + "' is no namespace of a cache: it has 1 to 64 characters "
                + "of a-z, 0-9, _ and -");
        }
    }

    static boolean isNamespace(String name) {
        return NAMESPACE.matcher(name).matches();
    }

    /** 32 hexadecimal digits: where entries of equal keys lie. */
    String id() {
        StringBuilder all = new StringBuilder();
        facts.forEach((name, value) -> all.append(name.length()).append(':').append(name)
            .append(value.length()).append(':').append(value));
        return Sha256.of(namespace + "/" + all).substring(0, 32);
    }
}
