package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.Arithmetic.GuidanceRescale;
import dev.slipstream.bridge.Arithmetic.Limiting;
import dev.slipstream.bridge.Arithmetic.RelativeChange;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceLostException;
import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.cuda.driver.DeviceCalls;
import dev.slipstream.bridge.cuda.driver.Handle.EventHandle;
import dev.slipstream.bridge.cuda.driver.Handle.StreamHandle;
import dev.slipstream.bridge.provider.BaseBindings;
import dev.slipstream.bridge.provider.BaseEvent;
import dev.slipstream.bridge.provider.BaseGraph;
import dev.slipstream.bridge.provider.BaseStream;
import dev.slipstream.bridge.provider.Failures;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * A stream of the driver. The driver refuses bad work when it is queued, and what fails later fails the whole device;
 * so it is here, on the host, that a failure poisons the stream: from then on nothing is given to the driver but
 * events, which keep their place in the order and carry the failure on.
 */
final class CudaStream extends BaseStream<CudaDevice> {
    /** A call that queues work; it captures nothing, so that queueing allocates nothing. */
    private interface Call<A, B> {
        void queue(CudaStream stream, A first, B second, int number);
    }

    private final DeviceCalls calls;
    private final LaunchArguments arguments = new LaunchArguments();
    private final Capture capture;
    private volatile StreamHandle handle;
    private DeviceException failure;

    /**
     * The devices whose events this stream waits for since it was known to be idle: if one of them is given up, the
     * stream may never become idle again.
     */
    private final List<CudaDevice> awaited = new ArrayList<>();

    CudaStream(CudaDevice device, String name) {
        super(device, name);
        this.calls = device.calls();
        this.handle = calls.newStream();
        this.capture = new Capture(this);
    }

    /** Queues work, unless the stream or its capture is poisoned; what the driver refuses poisons it. */
    private <A, B> void enqueue(Call<A, B> call, A first, B second, int number) {
        if (isCapturing() ? capture.isSpoilt() : failure != null) {
            return;
        }
        try {
            call.queue(this, first, second, number);
        } catch (DeviceException refused) {
            poison(refused);
        }
    }

    private void poison(DeviceException why) {
        if (isCapturing()) {
            capture.spoil(why);
        } else if (failure == null) {
            failure = why;
        }
    }

    @Override
    protected void enqueueRun(BaseBindings bindings) {
        enqueue((stream, known, none, zero) -> stream.run(known), (CudaBindings) bindings, null, 0);
    }

    private void run(CudaBindings bindings) {
        try {
            bindings.enqueue(handle, isCapturing());
        } catch (DeviceException refused) {
            throw explained(bindings, refused);
        }
    }

    /** An engine does not say why it refused to run; if the device is lost, that is why. */
    private DeviceException explained(CudaBindings bindings, DeviceException refused) {
        String message = device().name() + ": running " + bindings.context().engine().name() + " failed: "
            + refused.getMessage();
        try {
            if (!isCapturing()) {
                calls.isIdle(handle);
            }
        } catch (DeviceLostException lost) {
            return new DeviceLostException(message + "; " + lost.getMessage(), refused);
        } catch (DeviceException unclear) {
            refused.addSuppressed(unclear);
        }
        return Failures.like(refused, message);
    }

    @Override
    protected void enqueueCopy(Slice from, Slice to) {
        enqueue((stream, source, target, zero) -> stream.copyOnStream(source, target), from, to, 0);
    }

    private void copyOnStream(Slice from, Slice to) {
        CudaDevice source = ((CudaBuffer) from.buffer()).device();
        CudaDevice target = ((CudaBuffer) to.buffer()).device();
        if (source.ordinal() == target.ordinal()) {
            calls.copy(CudaBuffer.address(from), CudaBuffer.address(to), from.bytes(), handle);
        } else {
            calls.copyPeer(CudaBuffer.address(from), source.calls(), CudaBuffer.address(to), target.calls(),
                from.bytes(), handle);
        }
    }

    @Override
    protected void enqueueUpload(MemorySegment from, Slice to) {
        enqueue((stream, host, target, zero) -> stream.device().transfers()
            .upload(host, CudaBuffer.address(target), stream.handle), from, to, 0);
    }

    @Override
    protected void enqueueDownload(Slice from, MemorySegment to) {
        enqueue((stream, source, host, zero) -> stream.device().transfers()
            .download(CudaBuffer.address(source), host, stream.handle), from, to, 0);
    }

    @Override
    protected void enqueueCombine(Combination combination) {
        enqueue((stream, work, none, zero) -> stream.device().kernels()
            .combine(work, stream.arguments, stream.handle), combination, null, 0);
    }

    @Override
    protected void enqueueRescale(GuidanceRescale rescale) {
        enqueue((stream, work, none, zero) -> stream.device().kernels()
            .rescale(work, stream.arguments, stream.handle), rescale, null, 0);
    }

    @Override
    protected void enqueueLimit(Limiting limiting) {
        enqueue((stream, work, none, zero) -> stream.device().kernels()
            .limit(work, stream.arguments, stream.handle), limiting, null, 0);
    }

    @Override
    protected void enqueueCompare(RelativeChange change) {
        enqueue((stream, work, none, zero) -> stream.device().kernels()
            .compare(work, stream.arguments, stream.handle), change, null, 0);
    }

    @Override
    protected void enqueueFiniteCheck(Tensor tensor, Slice mark, int label) {
        enqueue((stream, checked, marked, number) -> stream.device().kernels()
            .checkFinite(checked, marked, number, stream.arguments, stream.handle), tensor, mark, label);
    }

    @Override
    protected void startCapture() {
        capture.begin();
    }

    @Override
    protected BaseGraph<?> finishCapture() {
        return new Capture.Graph(device(), capture.end());
    }

    @Override
    protected void enqueueLaunch(BaseGraph<?> graph) {
        enqueue((stream, known, none, zero) -> stream.calls.launch(known.handle(), stream.handle),
            (Capture.Graph) graph, null, 0);
    }

    @Override
    protected void enqueueRecord(BaseEvent<?> event) {
        CudaEvent known = (CudaEvent) event;
        try {
            known.put(device(), handle, failure);
        } catch (DeviceException refused) {
            poison(refused);
            known.fail(device(), failure);
        }
    }

    @Override
    protected void enqueueAwait(BaseEvent<?> event) {
        CudaEvent known = (CudaEvent) event;
        try {
            DeviceException before = known.makeWait(device(), handle);
            CudaDevice place = known.place();
            if (place != null && !awaited.contains(place)) {
                awaited.add(place);
            }
            if (before != null) {
                poison(before);
            }
        } catch (DeviceException refused) {
            poison(refused);
        }
    }

    /** Makes another stream of the device wait for what this one was given; what is being captured is not that. */
    void makeWait(StreamHandle waiting, EventHandle event) {
        capture.makeWait(waiting, event);
    }

    @Override
    protected void drain() {
        long start = System.nanoTime();
        while (!calls.isIdle(handle)) {
            CudaDevice stuck = awaitedGivenUp();
            if (stuck != null) {
                device().abandon(handle);
                handle = calls.newStream();
                awaited.clear();
                failure = null;
                stuck.health().requireUsable();
            }
            Backoff.after(System.nanoTime() - start);
        }
        awaited.clear();
        DeviceException first = failure;
        if (first != null) {
            failure = null;
            throw Failures.copyForCaller(first);
        }
    }

    /** An awaited device that was given up, or null. */
    private CudaDevice awaitedGivenUp() {
        for (int i = 0; i < awaited.size(); i++) { // no iterator, which would be an allocation
            if (awaited.get(i).health().isGivenUp()) {
                return awaited.get(i);
            }
        }
        return null;
    }

    /** From now on the device waits for the stream, which may be stuck. Returns it. */
    StreamHandle abandoned() {
        capture.retire(() -> { });
        return handle;
    }

    /** The driver's stream, for tests and for engines that are no ordinary ones. */
    StreamHandle handle() {
        return handle;
    }

    @Override
    protected void free() {
        capture.drop();
        DeviceException failed = null;
        try {
            awaitEnd();
        } catch (DeviceException asking) {
            failed = asking;
        }
        if (device().health().isGivenUp() || awaitedGivenUp() != null) {
            device().abandon(handle);
            abandoned();
            return;
        }
        logUnasked(failure);
        capture.retire(() -> calls.destroyStream(handle));
        if (failed != null && !device().health().isLost()) {
            throw failed;
        }
    }

    /** Waits until nothing runs any more or may never end. One bad answer of the driver does not mean that. */
    private void awaitEnd() {
        long start = System.nanoTime();
        DeviceException failed = null;
        while (awaitedGivenUp() == null) {
            try {
                if (calls.isIdle(handle)) {
                    break;
                }
            } catch (DeviceException asking) {
                if (failed != null || device().health().isLost()) {
                    throw asking;
                }
                failed = asking;
            }
            Backoff.after(System.nanoTime() - start);
        }
        if (failed != null) {
            throw failed;
        }
    }
}
