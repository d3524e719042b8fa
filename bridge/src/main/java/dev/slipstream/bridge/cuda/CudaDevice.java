package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceLostException;
import dev.slipstream.bridge.DeviceMemory;
import dev.slipstream.bridge.DeviceOutOfMemoryException;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.cuda.driver.DeviceCalls;
import dev.slipstream.bridge.cuda.driver.Gpu;
import dev.slipstream.bridge.cuda.driver.PreFlight;
import dev.slipstream.bridge.cuda.driver.PrimaryContext;
import dev.slipstream.bridge.provider.DeviceObject;
import dev.slipstream.bridge.provider.OpenObjects;
import dev.slipstream.bridge.provider.Owned;
import dev.slipstream.bridge.provider.Owner;
import java.lang.foreign.MemorySegment;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A GPU, by way of its primary context. Two devices may be opened on one GPU and share it. */
final class CudaDevice implements Device, Owner {
    private static final Logger LOG = LoggerFactory.getLogger(CudaDevice.class);

    private final String name;
    private final Gpu gpu;
    private final EngineCompiler compiler;
    private final boolean recordsPeerCopies;
    private final BiConsumer<CudaDevice, Boolean> afterClose;
    private final OpenObjects open;
    private final Owned owned = new Owned();
    private final Remains remains;
    private final DeviceCalls calls;
    private final DeviceHeap heap;
    private final CudaKernels kernels;
    private final DeviceClock clock;
    private final HostTransfers transfers;

    /**
     * @param recordsPeerCopies whether recordings take copies to and from other GPUs
     * @param afterClose called once, when the device is closed, with whether nothing of it is left
     */
    CudaDevice(String name, Gpu gpu, PreFlight.Ready ready, EngineCompiler compiler, boolean recordsPeerCopies,
            BiConsumer<CudaDevice, Boolean> afterClose) {
        this.name = name;
        this.gpu = gpu;
        this.compiler = compiler;
        this.recordsPeerCopies = recordsPeerCopies;
        this.afterClose = afterClose;
        this.open = new OpenObjects(name);
        try {
            PrimaryContext context = ready.driver().retain(gpu.ordinal());
            owned.own(() -> release(ready, context));
            this.calls = new DeviceCalls(name, context.handle());
            this.remains = new Remains(name, calls);
            this.heap = owned.own(new DeviceHeap(calls, gpu.ordinal(), gpu.totalBytes(), this::holdBack));
            for (Gpu peer : ready.gpus()) {
                if (peer.ordinal() != gpu.ordinal() && ready.driver().canAccessPeer(peer.ordinal(), gpu.ordinal())) {
                    heap.admit(peer.ordinal());
                }
            }
            this.kernels = owned.own(new CudaKernels(calls));
            this.clock = owned.own(new DeviceClock(calls));
            this.transfers = owned.own(new HostTransfers(calls));
        } catch (RuntimeException failure) {
            owned.closeAfter(failure);
            throw failure;
        }
    }

    private static void release(PreFlight.Ready ready, PrimaryContext context) {
        try {
            ready.driver().release(context);
        } catch (DeviceLostException alreadyKnown) {
            // Who used the device was told. Nothing is left to be done about it but to restart the process.
        }
    }

    int ordinal() {
        return gpu.ordinal();
    }

    DeviceCalls calls() {
        return calls;
    }

    CudaKernels kernels() {
        return kernels;
    }

    DeviceClock clock() {
        return clock;
    }

    HostTransfers transfers() {
        return transfers;
    }

    /** Memory that {@link #free(long)} gives back, for what is no buffer of a caller's. */
    long allocateAddress(long bytes) {
        return heap.allocate(name, bytes);
    }

    void free(long address) {
        heap.free(address);
    }

    /** Makes a private stream wait for all that the device was given. */
    private void holdBack(MemorySegment waiting, MemorySegment event) {
        if (!calls.health().isLost()) {
            open.ofType(CudaStream.class).forEach(stream -> stream.holdBack(waiting, event));
            remains.holdBack(waiting, event);
        }
    }

    /** Takes a stream that may never become idle. */
    void abandon(MemorySegment stream) {
        remains.addStream(stream);
    }

    /**
     * Makes something whose memory does not come from here: what is kept for buffers goes back to the device before,
     * and if that was not enough, once more after what is freed was waited for.
     */
    <T> T makeOutside(Supplier<T> maker) {
        heap.trim();
        try {
            calls.makeCurrent();
            return maker.get();
        } catch (DeviceOutOfMemoryException full) {
            if (!heap.reclaim()) {
                throw full;
            }
            LOG.info("{} gave back what it kept for buffers, and tries again: {}", name, full.getMessage());
        }
        calls.makeCurrent();
        return maker.get();
    }

    /** Closes something of the compiler's, which may call CUDA for that. */
    void closing(Runnable close) {
        try (Owned both = new Owned()) {
            both.own(close::run);
            if (!calls.health().isLost()) {
                both.own(calls::makeCurrent);
            }
        }
    }

    @Override
    public OpenObjects openObjects() {
        return open;
    }

    @Override
    public void requireUsable() {
        calls.health().requireUsable();
    }

    @Override
    public void free(DeviceObject<?> closed) {
        if (calls.health().isGivenUp()) {
            remains.add(closed);
        } else {
            closed.free();
        }
    }

    private <T extends DeviceObject<?>> T make(Supplier<T> maker) {
        open.requireOpen();
        requireUsable();
        return open.add(maker.get());
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String description() {
        return gpu.name() + ", " + (gpu.totalBytes() >> 20) + " MiB, compute capability " + gpu.major() + "."
            + gpu.minor();
    }

    @Override
    public Buffer allocate(long bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("a buffer cannot have " + bytes + " bytes");
        }
        return make(() -> new CudaBuffer(this, heap.allocate(name, bytes), bytes));
    }

    @Override
    public Stream newStream(String streamName) {
        return make(() -> new CudaStream(this, streamName));
    }

    @Override
    public Event newEvent() {
        return make(() -> new CudaEvent(this, false));
    }

    @Override
    public Event newTimedEvent() {
        return make(() -> new CudaEvent(this, true));
    }

    @Override
    public Engine build(EngineSource source) {
        EngineTarget target = new EngineTarget(name, gpu.ordinal(), gpu.name(), gpu.major(), gpu.minor());
        return make(() -> new CudaEngine(this, source.name(), makeOutside(() -> compiler.compile(target, source))));
    }

    @Override
    public boolean copiesBesideComputing() {
        return true;
    }

    @Override
    public DeviceMemory memory() {
        open.requireOpen();
        heap.trim();
        return calls.memory();
    }

    @Override
    public boolean replays() {
        return true;
    }

    @Override
    public boolean recordsCopiesWith(Device other) {
        return other instanceof CudaDevice known && (known.ordinal() == ordinal() || recordsPeerCopies);
    }

    /** A GPU's work cannot be stopped from outside; the context stays until the process ends, if it never does. */
    @Override
    public void giveUp(String reason) {
        calls.health().giveUp(reason);
    }

    @Override
    public int liveObjects() {
        return open.count();
    }

    @Override
    public void close() {
        if (open.stop()) {
            // Streams first: their queued work may still use everything else.
            open.closeLeaked(name, CudaStream.class::isInstance);
            open.closeLeaked(name, object -> true);
            boolean freed = true;
            try {
                freed = tryToFree();
            } finally {
                afterClose.accept(this, freed);
            }
            if (!freed) {
                LOG.warn("{} is closed with work on it that does not end; its memory stays in use until that work ends "
                    + "and a cuda device is opened, or the process ends", name);
            }
        }
    }

    /** Frees what a closed device still holds, unless work may still touch it; returns whether all is freed. */
    boolean tryToFree() {
        boolean over = remains.free();
        if (over) {
            owned.close();
        }
        return over;
    }

    @Override
    public String toString() {
        return name;
    }
}
