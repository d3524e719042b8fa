package dev.slipstream.pipelines.diffusion.denoise;

import dev.slipstream.pipelines.plan.Strategy.Cutting;
import dev.slipstream.pipelines.plan.Strategy;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Partitions a denoiser for a strategy and a number of devices, and keeps the results for the shapes that were asked
 * for last. Those that were not asked for longest go when all together would take more than their share of the heap.
 * Any thread may use it; a caller waits while another thread partitions.
 */
public final class Partitioner {
    /** Beside these are those of the engines that are kept. */
    static final int SHARE_OF_HEAP = 16;

    private final DenoiserGraph denoiser;
    private final Strategy strategy;
    private final int devices;
    private final Map<LoopShape, PartitionedDenoiser> kept = new LinkedHashMap<>(16, 0.75f, true);
    private final long mostBytes;
    private DenoiserGraph repainting;
    private long bytes;

    public Partitioner(DenoiserGraph denoiser, Strategy strategy, int devices) {
        this(denoiser, strategy, devices, Runtime.getRuntime().maxMemory() / SHARE_OF_HEAP);
    }

    /** @param mostBytes of the heap, by {@link PartitionedDenoiser#heapBytes}; the last one is always kept */
    Partitioner(DenoiserGraph denoiser, Strategy strategy, int devices, long mostBytes) {
        this.denoiser = denoiser;
        this.strategy = strategy;
        this.devices = devices;
        this.mostBytes = mostBytes;
    }

    /** @throws RuntimeException as {@link PartitionedDenoiser#of} */
    public synchronized PartitionedDenoiser partition(LoopShape shape) {
        PartitionedDenoiser known = kept.get(shape);
        if (known != null) {
            return known;
        }
        PartitionedDenoiser made = PartitionedDenoiser.of(denoiser(shape), shape, strategy, devices);
        bytes += made.heapBytes();
        for (Iterator<PartitionedDenoiser> oldest = kept.values().iterator(); bytes > mostBytes && oldest.hasNext();) {
            bytes -= oldest.next().heapBytes();
            oldest.remove();
        }
        kept.put(shape, made);
        return made;
    }

    /**
     * Finds out, without fixing or cutting anything, whether the graph takes these sizes and the plan what is wanted.
     *
     * @throws dev.slipstream.pipelines.graph.GraphException if the graph does not take these sizes or this batch
     * @throws dev.slipstream.pipelines.plan.PlanException if the strategy does not fit the devices or the guidance
     */
    public synchronized void check(LoopShape shape) {
        strategy.check(devices, shape.guided());
        if (strategy.cutting(devices) instanceof Cutting.Patched patched) {
            new PatchCut(denoiser(shape), patched).check(shape);
        }
        FixedDenoiser.check(denoiser(shape), shape, shape.rows(strategy));
    }

    /** Of the whole denoiser. */
    public long weightBytes() {
        return denoiser.graph().weightBytes();
    }

    /** The denoiser as it is for a loop: with a mask, where part of the picture is known. */
    public synchronized DenoiserGraph denoiser(LoopShape shape) {
        if (!shape.conditions().containsKey(RepaintMask.INPUT)) {
            return denoiser;
        }
        if (repainting == null) {
            repainting = denoiser.repainting();
        }
        return repainting;
    }

    synchronized int size() {
        return kept.size();
    }
}
