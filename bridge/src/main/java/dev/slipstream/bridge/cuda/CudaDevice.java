package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceLostException;
import dev.slipstream.bridge.DeviceOutOfMemoryException;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.cuda.driver.DeviceCalls;
import dev.slipstream.bridge.cuda.driver.DriverCheck;
import dev.slipstream.bridge.cuda.driver.Gpu;
import dev.slipstream.bridge.cuda.driver.Handle.EventHandle;
import dev.slipstream.bridge.cuda.driver.Handle.StreamHandle;
import dev.slipstream.bridge.cuda.driver.PrimaryContext;
import dev.slipstream.bridge.provider.BaseBuffer;
import dev.slipstream.bridge.provider.BaseDevice;
import dev.slipstream.bridge.provider.BaseEngine;
import dev.slipstream.bridge.provider.BaseEvent;
import dev.slipstream.bridge.provider.BaseStream;
import dev.slipstream.bridge.provider.Closer;
import dev.slipstream.bridge.provider.DeviceObject;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A GPU, by way of its primary context. Two devices may be opened on one GPU and share it.
 *
 * <p>Streams that may never become idle are kept until they do: closing the device waits a moment for them, and where
 * that is in vain {@link #tryToFree} is called again later.
 */
final class CudaDevice extends BaseDevice {
    private static final Logger LOG = LoggerFactory.getLogger(CudaDevice.class);

    /** How long a device that is not given up waits for its stuck streams when it is closed. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Gpu gpu;
    private final EngineCompiler compiler;
    private final BiConsumer<CudaDevice, Boolean> afterClose;
    private final Closer owned = new Closer();
    private final DeviceCalls calls;
    private final DeviceHeap heap;
    private final CudaKernels kernels;
    private final DeviceClock clock;
    private final HostTransfers transfers;

    // Guarded by itself: streams that have no owner any more, and may never become idle.
    private final List<StreamHandle> stuck = new ArrayList<>();

    /**
     * @param traits what it is
     * @param afterClose called once, when the device is closed, with whether nothing of it is left
     */
    CudaDevice(String name, Gpu gpu, DriverCheck.Ready ready, EngineCompiler compiler, Device.Traits traits,
            BiConsumer<CudaDevice, Boolean> afterClose) {
        super(name, traits);
        this.gpu = gpu;
        this.compiler = compiler;
        this.afterClose = afterClose;
        try {
            PrimaryContext context = ready.driver().retain(gpu.ordinal());
            owned.own(() -> release(ready, context));
            this.calls = new DeviceCalls(name, context.handle(), health());
            this.heap = owned.own(new DeviceHeap(name, calls, gpu, this::makeWait));
            for (Gpu peer : ready.gpus()) {
                if (peer.ordinal() != gpu.ordinal() && ready.driver().canAccessPeer(peer.ordinal(), gpu.ordinal())) {
                    heap.admit(peer.ordinal());
                }
            }
            this.kernels = owned.own(new CudaKernels(calls));
            this.clock = owned.own(new DeviceClock(calls));
            this.transfers = owned.own(new HostTransfers(calls));
        } catch (RuntimeException | Error failure) {
            owned.closeAfter(failure);
            throw failure;
        }
    }

    private static void release(DriverCheck.Ready ready, PrimaryContext context) {
        try {
            ready.driver().release(context);
        } catch (DeviceLostException alreadyKnown) {
            // The user of the device was told. Nothing is left to be done about it but to restart the process.
        }
    }

    int ordinal() {
        return gpu.ordinal();
    }

    DeviceCalls calls() {
        return calls;
    }

    DeviceHeap heap() {
        return heap;
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

    /** Makes a private stream wait for all that the device was given. */
    private void makeWait(StreamHandle waiting, EventHandle event) {
        if (!health().isLost()) {
            open(CudaStream.class).forEach(stream -> stream.makeWait(waiting, event));
            synchronized (stuck) {
                for (StreamHandle stream : stuck) {
                    calls.record(event, stream);
                    calls.await(waiting, event);
                }
            }
        }
    }

    /** Takes a stream that may never become idle. */
    void abandon(StreamHandle stream) {
        synchronized (stuck) {
            stuck.add(stream);
        }
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
            LOG.info("{} gave back what it kept for buffers, and tries again: {}", name(), full.getMessage());
        }
        calls.makeCurrent();
        return maker.get();
    }

    /** Closes something of the compiler's, which may call CUDA for that. */
    void closing(Runnable close) {
        try (Closer both = new Closer()) {
            both.own(close::run);
            if (!health().isLost()) {
                both.own(calls::makeCurrent);
            }
        }
    }

    @Override
    public String description() {
        return gpu.name() + ", " + (gpu.totalBytes() >> 20) + " MiB, compute capability " + gpu.major() + "."
            + gpu.minor();
    }

    @Override
    protected BaseBuffer<CudaDevice> makeBuffer(long bytes) {
        return new CudaBuffer(this, heap.allocate(bytes), bytes);
    }

    /** Pinned: copies to other memory hold the host up. */
    @Override
    protected BaseHostMemory<CudaDevice> makeHostMemory(long bytes) {
        MemorySegment pinned = calls.allocatePinned(bytes);
        return new BaseHostMemory<>(this, pinned, () -> calls.freePinned(pinned));
    }

    @Override
    protected BaseStream<CudaDevice> makeStream(String streamName) {
        return new CudaStream(this, streamName);
    }

    @Override
    protected BaseEvent<CudaDevice> makeEvent(boolean timed) {
        return new CudaEvent(this, timed);
    }

    @Override
    protected BaseEngine<CudaDevice> makeEngine(EngineSource source) {
        EngineTarget target = new EngineTarget(name(), gpu.ordinal(), gpu.name(), gpu.major(), gpu.minor());
        return new CudaEngine(this, source.name(), makeOutside(() -> compiler.compile(target, source)));
    }

    @Override
    protected Memory readMemory() {
        heap.trim();
        return calls.memory();
    }

    /** A GPU's work cannot be stopped from outside; all waiting here asks the health again and again. */
    @Override
    protected void abandonWork() {
        // The context stays until the process ends, if the work never does.
    }

    @Override
    protected void defer(DeviceObject<?> object) {
        if (object instanceof CudaStream stream) {
            abandon(stream.abandoned());
        } else {
            super.defer(object);
        }
    }

    @Override
    protected void shutDown() {
        boolean freed = true;
        try {
            freed = tryToFree();
        } finally {
            afterClose.accept(this, freed);
        }
        if (!freed) {
            LOG.warn("{} is closed with work on it that does not end; its memory stays in use until that work ends "
                + "and a cuda device is opened, or the process ends", name());
        }
    }

    /** Frees what a closed device still holds, unless work may still touch it; returns whether all is freed. */
    boolean tryToFree() {
        synchronized (stuck) {
            if (!awaitStuck()) {
                return false;
            }
            for (StreamHandle stream : stuck) {
                try {
                    calls.destroyStream(stream);
                } catch (DeviceException failure) {
                    LOG.warn("{}: {} could not be freed: {}", name(), stream, failure.getMessage());
                }
            }
            stuck.clear();
        }
        freeDeferred();
        owned.close();
        return true;
    }

    /** Waits a moment for the stuck streams; returns whether none is stuck any more. */
    private boolean awaitStuck() {
        long start = System.nanoTime();
        long patience = health().isGivenUp() ? 0 : PATIENCE_NANOS;
        while (!stuck.stream().allMatch(calls::isOver)) {
            long waited = System.nanoTime() - start;
            if (waited >= patience) {
                return false;
            }
            Backoff.after(waited);
        }
        return true;
    }
}
