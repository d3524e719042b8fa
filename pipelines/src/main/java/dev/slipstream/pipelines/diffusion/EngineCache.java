package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.provider.Owned;
import dev.slipstream.pipelines.run.Estimates;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.Guidance;
import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.Program;
import dev.slipstream.pipelines.run.UnrollOptions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/**
 * What a pipeline has built, and keeps for later requests of the same sizes. What was not used for longest goes when
 * all together would be more than the bounds, or when a device has no room for what a request needs. One thread at a
 * time.
 */
final class EngineCache implements AutoCloseable {
    /** A loop is cheap beside engines: buffers, contexts, and streams with a thread each. */
    private static final int MOST_LOOPS = 8;
    /** About eight sizes; beside small weights, what else an engine takes counts. */
    private static final int MOST_PARTS = 24;
    /** Bytes of the denoiser's weights up to which components are built at the same time. */
    private static final long MOST_BYTES_AT_ONCE = 1L << 30;
    private static final int SHARE_OF_MEMORY = 2;
    private static final int SHARE_OF_HEAP = 8;

    private record LoopKey(Part.Denoising denoiser, NoiseTable noise, Guidance guidance, Estimates estimates) {
        static LoopKey of(ResolvedRequest request) {
            return new LoopKey(Part.denoising(request), request.noise(), request.guidance(), request.estimates());
        }
    }

    /** @param bytes on all devices; likewise {@code heapBytes} */
    private record Kept(AutoCloseable engines, long bytes, long heapBytes) {
    }

    private final List<Device> devices;
    private final Map<Part<?>, Kept> parts = new LinkedHashMap<>(16, 0.75f, true);
    private final Map<LoopKey, Execution> loops = new LinkedHashMap<>(16, 0.75f, true);
    private final long mostHeapBytes = Runtime.getRuntime().maxMemory() / SHARE_OF_HEAP;
    private OptionalLong mostBytes;

    /**
     * @param mostBytes that engines and loops of earlier requests may take together with those of the one that runs, on
     *     all devices; if empty, half of what the roomiest device has free when the first engine is built
     */
    EngineCache(List<Device> devices, OptionalLong mostBytes) {
        this.devices = devices;
        this.mostBytes = mostBytes;
    }

    /**
     * Builds what is not there for a request. The components of small models are built at the same time, those of large
     * ones one after another, as building takes memory, too. If a part fails, none of them stays.
     *
     * @param request for each model
     * @param gate asked before each engine; what it throws ends the building, and parts that are whole by then stay if
     *     it is a {@link CancellationException}
     * @return what each model has now, until the next call
     * @throws dev.slipstream.bridge.DeviceOutOfMemoryException if a device has no room; nothing is built then
     */
    List<BuiltModel> build(List<ResolvedRequest> request, Runnable gate) {
        gate.run();
        Map<Part<?>, List<MemoryNeed>> missing = new LinkedHashMap<>();
        Map<LoopKey, Program> unrolled = new LinkedHashMap<>();
        List<MemoryNeed> need = Collections.nCopies(devices.size(), MemoryNeed.NOTHING);
        for (ResolvedRequest model : request) {
            need = MemoryNeed.sums(need, lacking(model, missing, unrolled));
        }
        if (!missing.isEmpty() || !unrolled.isEmpty()) {
            makeRoom(need, missing.keySet(), request);
            MemoryNeed.requireRoom(need, devices);
            build(missing, gate);
            unrolled.forEach(this::prepare);
        }
        return request.stream().map(this::built).toList();
    }

    /** What a model needs and is not there; what is there is used, and so the last to go. */
    private List<MemoryNeed> lacking(ResolvedRequest request, Map<Part<?>, List<MemoryNeed>> missing,
        Map<LoopKey, Program> unrolled) {
        List<List<MemoryNeed>> needs = new ArrayList<>();
        needs.add(Collections.nCopies(devices.size(), MemoryNeed.NOTHING));
        for (Part<?> part : Part.of(request)) {
            if (parts.get(part) == null) {
                needs.add(missing.computeIfAbsent(part, Part::need));
            }
        }
        if (loops.get(LoopKey.of(request)) == null) {
            Program program = request.draft().program(request,
                UnrollOptions.of(devices, request.draft().options().guarded()));
            unrolled.put(LoopKey.of(request), program);
            needs.add(MemoryNeed.ofBuffers(devices.size(), program));
        }
        return MemoryNeed.together(needs);
    }

    private void makeRoom(List<MemoryNeed> need, Set<Part<?>> missing, List<ResolvedRequest> request) {
        BooleanSupplier fits = () -> fits(need, missing);
        Set<Part<?>> wanted = request.stream().flatMap(model -> Part.of(model).stream()).collect(Collectors.toSet());
        for (Part<?> oldest : List.copyOf(parts.keySet())) {
            if (!wanted.contains(oldest) && !fits.getAsBoolean()) {
                evict(oldest);
            }
        }
        Set<LoopKey> running = request.stream().map(LoopKey::of).collect(Collectors.toSet());
        for (LoopKey oldest : List.copyOf(loops.keySet())) {
            if (!running.contains(oldest) && !fits.getAsBoolean()) {
                loops.remove(oldest).close();
            }
        }
    }

    private boolean fits(List<MemoryNeed> need, Set<Part<?>> missing) {
        return parts.size() + missing.size() <= MOST_PARTS
            && keptBytes() + MemoryNeed.totalBytes(need) <= mostBytes()
            && parts.values().stream().mapToLong(Kept::heapBytes).sum()
                + missing.stream().mapToLong(Part::heapBytes).sum() <= mostHeapBytes
            && MemoryNeed.fit(need, devices);
    }

    /** Of all that is kept on devices, as it was estimated. */
    long keptBytes() {
        return parts.values().stream().mapToLong(Kept::bytes).sum()
            + loops.values().stream().mapToLong(loop ->
                MemoryNeed.totalBytes(MemoryNeed.ofBuffers(devices.size(), loop.program()))).sum();
    }

    private long mostBytes() {
        if (mostBytes.isEmpty()) {
            mostBytes = OptionalLong.of(devices.stream().mapToLong(device -> device.memory().freeBytes()).max()
                .orElseThrow() / SHARE_OF_MEMORY);
        }
        return mostBytes.getAsLong();
    }

    private void evict(Part<?> part) {
        for (LoopKey loop : List.copyOf(loops.keySet())) {
            if (loop.denoiser().equals(part)) {
                loops.remove(loop).close();
            }
        }
        Owned.closeAll(List.of(parts.remove(part).engines()));
    }

    private void build(Map<Part<?>, List<MemoryNeed>> missing, Runnable gate) {
        Builds<Part<?>, AutoCloseable> builds = new Builds<>();
        for (Part<?> part : missing.keySet()) {
            if (!(part instanceof Part.Denoising)) {
                builds.start(part, executor(part), () -> part.build(devices, gate));
            }
        }
        // They have threads of their own.
        for (Part<?> part : missing.keySet()) {
            if (part instanceof Part.Denoising) {
                builds.start(part, Runnable::run, () -> part.build(devices, gate));
            }
        }
        Throwable failure = builds.failure();
        if (failure != null && !(failure instanceof CancellationException)) {
            throw builds.freed(failure);
        }
        builds.built().forEach((part, engines) ->
            parts.put(part, new Kept(engines, MemoryNeed.totalBytes(missing.get(part)), part.heapBytes())));
        if (failure != null) {
            throw (CancellationException) failure;
        }
    }

    private static Executor executor(Part<?> part) {
        boolean large = part.draft().model().denoiser().graph().weightBytes() > MOST_BYTES_AT_ONCE;
        return large ? Runnable::run : Builds.thread(part.name());
    }

    private void prepare(LoopKey key, Program program) {
        if (loops.size() >= MOST_LOOPS) {
            loops.remove(loops.keySet().iterator().next()).close();
        }
        loops.put(key, get(key.denoiser()).prepare(program,
            key.denoiser().draft().options().withEstimates(key.estimates())));
    }

    private <T extends AutoCloseable> T get(Part<T> part) {
        return part.type().cast(parts.get(part).engines());
    }

    private BuiltModel built(ResolvedRequest request) {
        return new BuiltModel(get(Part.text(request)), loops.get(LoopKey.of(request)),
            Part.decoding(request).map(this::get), Part.encoding(request).map(this::get));
    }

    @Override
    public void close() {
        List<AutoCloseable> all = new ArrayList<>(parts.values().stream().map(Kept::engines).toList());
        all.addAll(loops.values());
        parts.clear();
        loops.clear();
        Owned.closeAll(all);
    }
}
