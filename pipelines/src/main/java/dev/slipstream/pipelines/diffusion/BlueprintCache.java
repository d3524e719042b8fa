package dev.slipstream.pipelines.diffusion;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Blueprints of the sizes that were drawn last. Those that were not asked for longest go when all together would take
 * more than their share of the heap. Any thread may use it; who asks waits while another thread draws.
 */
final class BlueprintCache {
    /** Beside these are those of the engines that are kept. */
    private static final int SHARE_OF_HEAP = 16;

    private final Map<LoopShape, Blueprint> drawn = new LinkedHashMap<>(16, 0.75f, true);
    private final long mostBytes;
    private long bytes;

    BlueprintCache() {
        this(Runtime.getRuntime().maxMemory() / SHARE_OF_HEAP);
    }

    /** @param mostBytes of the heap, by {@link Blueprint#heapBytes}; the last one is kept whatever it takes */
    BlueprintCache(long mostBytes) {
        this.mostBytes = mostBytes;
    }

    synchronized Blueprint get(LoopShape shape, Supplier<Blueprint> draw) {
        Blueprint known = drawn.get(shape);
        if (known != null) {
            return known;
        }
        Blueprint blueprint = draw.get();
        bytes += blueprint.heapBytes();
        for (Iterator<Blueprint> oldest = drawn.values().iterator(); bytes > mostBytes && oldest.hasNext();) {
            bytes -= oldest.next().heapBytes();
            oldest.remove();
        }
        drawn.put(shape, blueprint);
        return blueprint;
    }

    synchronized int size() {
        return drawn.size();
    }
}
