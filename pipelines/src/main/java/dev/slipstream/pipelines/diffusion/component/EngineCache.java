package dev.slipstream.pipelines.diffusion.component;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.provider.Closer;
import dev.slipstream.pipelines.diffusion.denoise.Builds;
import dev.slipstream.pipelines.diffusion.denoise.DeviceForm;
import dev.slipstream.pipelines.diffusion.denoise.LoopOptions;
import dev.slipstream.pipelines.diffusion.denoise.MemoryNeed;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.unroll.UnrollOptions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/**
 * What a pipeline has built, and keeps for later requests of the same sizes. What was not used for longest goes when
 * all together would be more than the bounds, or when a device has no room for what a request needs. One thread builds,
 * while nothing of it is in use.
 */
public final class EngineCache implements AutoCloseable {
    /** A loop is cheap beside engines: buffers, contexts, and streams with a thread each. */
    private static final int MOST_LOOPS = 8;
    /** About eight sizes; beside small weights, what else an engine takes counts. */
    private static final int MOST_KEYS = 24;
    /** Bytes of the denoiser's weights up to which components are built at the same time. */
    private static final long MOST_BYTES_AT_ONCE = 1L << 30;
    private static final int SHARE_OF_MEMORY = 2;
    private static final int SHARE_OF_HEAP = 8;

    /** @param bytes on all devices; likewise {@code heapBytes} */
    private record Kept(AutoCloseable engines, long bytes, long heapBytes) {
    }

    /** @param need on each device @param alone whether nothing else is built meanwhile */
    private record Missing(List<MemoryNeed> need, boolean alone) {
    }

    private final List<Device> devices;
    private final List<DeviceForm> forms;
    private final LoopOptions options;
    private final Map<ComponentKey<?>, Kept> kept = new LinkedHashMap<>(16, 0.75f, true);
    private final Map<RequestKeys.Loop, Execution> loops = new LinkedHashMap<>(16, 0.75f, true);
    private final Map<RequestKeys.Loop, SpareTime> spare = new HashMap<>();
    private final long mostHeapBytes;
    private boolean overlaps;
    /** The device of all but the denoiser. */
    private int home;
    private OptionalLong mostBytes;

    /**
     * @param options of all loops
     * @param mostBytes that engines and loops of earlier requests may take together with those of the one that runs, on
     *     all devices; if empty, half of what the roomiest device has free when the first engine is built
     */
    public EngineCache(List<Device> devices, LoopOptions options, OptionalLong mostBytes) {
        this(devices, options, mostBytes, Runtime.getRuntime().maxMemory() / SHARE_OF_HEAP);
    }

    /** @param mostHeapBytes that engines of earlier requests may take together with those of the one that runs */
    public EngineCache(List<Device> devices, LoopOptions options, OptionalLong mostBytes, long mostHeapBytes) {
        this.devices = devices;
        this.forms = devices.stream().map(DeviceForm::of).toList();
        this.options = options;
        this.mostBytes = mostBytes;
        this.mostHeapBytes = mostHeapBytes;
        this.overlaps = options.overlapped();
    }

    /**
     * Builds what is not there for a request. The components of small models are built at the same time, those of large
     * ones one after another, as building takes memory, too. If one fails, none of them stays.
     *
     * @param request for each model
     * @param gate asked before each engine; what it throws ends the building, and what is whole by then stays if it is
     *     a {@link CancellationException}
     * @return what each model has now, until the next call
     * @throws dev.slipstream.bridge.DeviceOutOfMemoryException if a device has no room; nothing is built then
     */
    public synchronized List<RequestEngines> build(List<RequestKeys> request, Runnable gate) {
        gate.run();
        Lack lack = lacking(request);
        if (!lack.isEmpty()) {
            makeRoom(lack, request);
            if (overlaps && !MemoryNeed.fit(lack.need, devices)) {
                overlaps = false;
                home = kept.isEmpty() ? 0 : home;
                lack = lacking(request);
            }
            MemoryNeed.requireRoom(lack.need, devices);
            build(lack.missing, gate);
            lack.unrolled.forEach(this::prepare);
            spare.putAll(lack.spare);
        }
        return request.stream().map(this::built).toList();
    }

    /** What each model has, if nothing must be built for a request. Any thread may ask, also while loops run. */
    public synchronized Optional<List<RequestEngines>> ready(List<RequestKeys> request) {
        // What is looked up counts as used.
        return request.stream().allMatch(model -> loops.get(model.loop()) != null
            && model.engines().stream().allMatch(key -> kept.get(key) != null))
            ? Optional.of(request.stream().map(this::built).toList()) : Optional.empty();
    }

    /** Whether there is room for text encoders and decoders to work beside loops, as was asked for. */
    public synchronized boolean overlaps() {
        return overlaps;
    }

    /**
     * What a request needs and is not there.
     *
     * @param need on each device
     * @param unrolled programs of the loops
     * @param spare what these leave, where requests overlap
     */
    private record Lack(List<MemoryNeed> need, Map<ComponentKey<?>, Missing> missing,
        Map<RequestKeys.Loop, Program> unrolled, Map<RequestKeys.Loop, SpareTime> spare) {
        private boolean isEmpty() {
            return missing.isEmpty() && unrolled.isEmpty();
        }
    }

    /** What is there is used, and so the last to go. */
    private Lack lacking(List<RequestKeys> request) {
        Lack lack = new Lack(new ArrayList<>(Collections.nCopies(devices.size(), MemoryNeed.NOTHING)),
            new LinkedHashMap<>(), new LinkedHashMap<>(), new HashMap<>());
        for (RequestKeys model : request) {
            List<MemoryNeed> sum = MemoryNeed.sums(lack.need, lacking(model, lack));
            lack.need.clear();
            lack.need.addAll(sum);
        }
        return lack;
    }

    private List<MemoryNeed> lacking(RequestKeys request, Lack lack) {
        boolean alone = request.loop().denoiser().partitioner().weightBytes() > MOST_BYTES_AT_ONCE;
        List<List<MemoryNeed>> beside = new ArrayList<>();
        List<List<MemoryNeed>> inside = new ArrayList<>();
        beside.add(Collections.nCopies(devices.size(), MemoryNeed.NOTHING));
        inside.add(beside.getFirst());
        if (loops.get(request.loop()) == null) {
            Program program = request.loop().program(options.kept(),
                UnrollOptions.of(devices, options.guarded()));
            lack.unrolled.put(request.loop(), program);
            inside.add(MemoryNeed.ofBuffers(devices.size(), program));
            if (overlaps) {
                // Where there are engines, there they stay; before, where they make the same bits as on the first.
                boolean open = kept.isEmpty() && lack.missing.isEmpty();
                SpareTime time = request.spare(program, device -> open ? isAlike(device) : device == home);
                lack.spare.put(request.loop(), time);
                home = time.home();
            }
        }
        for (ComponentKey<?> key : request.engines()) {
            if (kept.get(key) == null) {
                Missing missing =
                    lack.missing.computeIfAbsent(key, absent -> new Missing(absent.need(forms, home), alone));
                (key instanceof ComponentKey.Denoising ? inside : beside).add(missing.need());
            }
        }
        List<List<MemoryNeed>> both = List.of(MemoryNeed.together(inside), MemoryNeed.together(beside));
        return overlaps ? MemoryNeed.sums(both.getFirst(), both.getLast()) : MemoryNeed.together(both);
    }

    private boolean isAlike(int device) {
        return devices.get(device).description().equals(devices.getFirst().description());
    }

    private void makeRoom(Lack lack, List<RequestKeys> request) {
        BooleanSupplier fits = () -> fits(lack.need, lack.missing.keySet());
        Set<ComponentKey<?>> wanted = request.stream().flatMap(model -> model.engines().stream())
            .collect(Collectors.toSet());
        for (ComponentKey<?> oldest : List.copyOf(kept.keySet())) {
            if (!wanted.contains(oldest) && !fits.getAsBoolean()) {
                evict(oldest);
            }
        }
        Set<RequestKeys.Loop> running = request.stream().map(RequestKeys::loop).collect(Collectors.toSet());
        for (RequestKeys.Loop oldest : List.copyOf(loops.keySet())) {
            if (!running.contains(oldest) && !fits.getAsBoolean()) {
                close(oldest);
            }
        }
    }

    private boolean fits(List<MemoryNeed> need, Set<ComponentKey<?>> missing) {
        return kept.size() + missing.size() <= MOST_KEYS
            && keptBytes() + MemoryNeed.totalBytes(need) <= mostBytes()
            && keptHeapBytes() + missing.stream().mapToLong(ComponentKey::heapBytes).sum() <= mostHeapBytes
            && MemoryNeed.fit(need, devices);
    }

    /** Of all whose engines are kept, as it was estimated. */
    public long keptHeapBytes() {
        return kept.values().stream().mapToLong(Kept::heapBytes).sum();
    }

    /** Of all that is kept on devices, as it was estimated. */
    public long keptBytes() {
        return kept.values().stream().mapToLong(Kept::bytes).sum()
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

    private void evict(ComponentKey<?> key) {
        for (RequestKeys.Loop loop : List.copyOf(loops.keySet())) {
            if (loop.denoiser().equals(key)) {
                close(loop);
            }
        }
        Closer.closeAll(List.of(kept.remove(key).engines()));
    }

    private void build(Map<ComponentKey<?>, Missing> missing, Runnable gate) {
        Builds<ComponentKey<?>, AutoCloseable> builds = new Builds<>();
        missing.forEach((key, it) -> {
            if (!(key instanceof ComponentKey.Denoising)) {
                builds.start(key, it.alone() ? Runnable::run : Builds.thread(key.name()),
                    () -> key.build(devices, home, gate));
            }
        });
        // They have threads of their own.
        for (ComponentKey<?> key : missing.keySet()) {
            if (key instanceof ComponentKey.Denoising) {
                builds.start(key, Runnable::run, () -> key.build(devices, home, gate));
            }
        }
        Throwable failure = builds.failure();
        if (failure != null && !(failure instanceof CancellationException)) {
            throw builds.freed(failure);
        }
        builds.built().forEach((key, engines) -> kept.put(key,
            new Kept(engines, MemoryNeed.totalBytes(missing.get(key).need()), key.heapBytes())));
        if (failure != null) {
            throw (CancellationException) failure;
        }
    }

    private void prepare(RequestKeys.Loop loop, Program program) {
        if (loops.size() >= MOST_LOOPS) {
            close(loops.keySet().iterator().next());
        }
        loops.put(loop, get(loop.denoiser()).prepare(program, options));
    }

    private void close(RequestKeys.Loop loop) {
        spare.remove(loop);
        loops.remove(loop).close();
    }

    private <T extends AutoCloseable> T get(ComponentKey<T> key) {
        return key.type().cast(kept.get(key).engines());
    }

    private RequestEngines built(RequestKeys request) {
        return new RequestEngines(get(request.text()), loops.get(request.loop()),
            request.decoding().map(this::decoder), request.previewing().map(this::decoder),
            request.encoding().map(this::get), request.seeing().map(this::get),
            Optional.ofNullable(spare.get(request.loop())));
    }

    private LatentsDecoder decoder(RequestKeys.Decodings keys) {
        return new LatentsDecoder(keys.decoders().stream().map(this::get).toList(), keys.frames());
    }

    @Override
    public synchronized void close() {
        List<AutoCloseable> all = new ArrayList<>(kept.values().stream().map(Kept::engines).toList());
        all.addAll(loops.values());
        kept.clear();
        loops.clear();
        spare.clear();
        Closer.closeAll(all);
    }
}
