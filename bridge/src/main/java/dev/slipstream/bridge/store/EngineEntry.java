package dev.slipstream.bridge.store;

import java.time.Instant;
import java.util.Map;

/**
 * An engine in a store.
 *
 * @param id what {@link EngineStore#remove} takes: the key's
 * @param name what it was called when it was built
 * @param parts the key's, see {@link EngineKey#parts}
 * @param bytes size of the file
 * @param lastUsed when some process read or wrote it last
 */
public record EngineEntry(String id, String name, Map<String, String> parts, long bytes, Instant lastUsed,
    Instant created) {
}
