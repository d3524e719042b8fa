package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.Bindings;
import dev.slipstream.bridge.Combination;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceLostException;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.GuidanceRescale;
import dev.slipstream.bridge.Limiting;
import dev.slipstream.bridge.Recording;
import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.cuda.driver.DeviceCalls;
import dev.slipstream.bridge.provider.DeviceObject;
import dev.slipstream.bridge.provider.Failures;
import dev.slipstream.bridge.provider.StreamCheck;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A stream of the driver. The driver refuses bad work when it is queued, and what fails later fails the whole device;
 * so it is here, on the host, that a failure poisons the stream: from then on nothing is given to the driver but
 * events, which keep their place in the order and carry the failure on.
 */
final class CudaStream extends DeviceObject<CudaDevice> implements Stream {
    private static final Logger LOG = LoggerFactory.getLogger(CudaStream.class);

    /** Any thread but the caller's: the driver has its own. */
    private static final Thread DRIVER = Thread.ofPlatform().unstarted(() -> { });

    private final String name;
    private final DeviceCalls calls;
    private final LaunchArguments arguments = new LaunchArguments();
    private final Upstream upstream = new Upstream();
    private final Capture capture;
    private volatile MemorySegment handle;
    private DeviceException failure;

    CudaStream(CudaDevice device, String name) {
        super(device);
        this.name = name;
        this.calls = device.calls();
        this.handle = calls.newStream();
        this.capture = new Capture(device);
    }

    @Override
    public void run(Bindings bindings) {
        if (!(bindings instanceof CudaBindings known) || known.context().device() != device()) {
            throw new IllegalArgumentException("bindings of " + bindings.context().engine().name() + " on "
                + bindings.context().engine().device().name() + " cannot run on a stream of " + device().name());
        }
        requireOpen();
        known.requireOpen();
        if (takesWork()) {
            try {
                calls.makeCurrent();
                known.enqueue(handle, capture.isRunning());
            } catch (DeviceException refused) {
                poison(running(known, refused));
            }
        }
    }

    /** An engine does not say why it refused to run; if the device is lost, that is why. */
    private DeviceException running(CudaBindings bindings, DeviceException refused) {
        String message = device().name() + ": running " + bindings.context().engine().name() + " failed: "
            + refused.getMessage();
        try {
            if (!capture.isRunning()) {
                calls.isIdle(handle);
            }
        } catch (DeviceLostException lost) {
            return new DeviceLostException(message + "; " + lost.getMessage(), refused);
        } catch (DeviceException unclear) {
            refused.addSuppressed(unclear);
        }
        return new DeviceException(message, refused.getCause());
    }

    @Override
    public void copy(Slice from, Slice to) {
        CudaBuffer source = CudaBuffer.of(from);
        CudaBuffer target = CudaBuffer.of(to);
        if (source.device() != device() && target.device() != device()) {
            throw new IllegalArgumentException("a stream of " + device().name() + " cannot copy from "
                + source.device().name() + " to " + target.device().name());
        }
        StreamCheck.requireSameSize(from.bytes(), to.bytes());
        requireOpen();
        requireRecordable(source.device() == device() ? target.device() : source.device());
        if (takesWork() && from.bytes() > 0) {
            try {
                if (source.device().ordinal() == target.device().ordinal()) {
                    calls.copy(CudaBuffer.address(from), CudaBuffer.address(to), from.bytes(), handle);
                } else {
                    calls.copyPeer(CudaBuffer.address(from), source.device().calls(), CudaBuffer.address(to),
                        target.device().calls(), from.bytes(), handle);
                }
            } catch (DeviceException refused) {
                poison(refused);
            }
        }
    }

    private void requireRecordable(CudaDevice other) {
        if (capture.isRunning() && !device().recordsCopiesWith(other)) {
            throw new IllegalStateException(this + " of " + device().name()
                + " is recording, and takes no copies from or to " + other.name());
        }
    }

    @Override
    public void upload(MemorySegment from, Slice to) {
        StreamCheck.requireShared(from, DRIVER);
        StreamCheck.requireSameSize(from.byteSize(), to.bytes());
        own(to);
        requireOpen();
        capture.requireNone(this);
        if (takesWork() && to.bytes() > 0) {
            try {
                device().transfers().upload(from, CudaBuffer.address(to), handle);
            } catch (DeviceException refused) {
                poison(refused);
            }
        }
    }

    @Override
    public void download(Slice from, MemorySegment to) {
        StreamCheck.requireWritable(to, DRIVER);
        StreamCheck.requireSameSize(from.bytes(), to.byteSize());
        own(from);
        requireOpen();
        capture.requireNone(this);
        if (takesWork() && from.bytes() > 0) {
            try {
                device().transfers().download(CudaBuffer.address(from), to, handle);
            } catch (DeviceException refused) {
                poison(refused);
            }
        }
    }

    @Override
    public void combine(Combination combination) {
        own(combination.out());
        List<Slice> inputs = combination.inputs();
        for (int i = 0; i < inputs.size(); i++) { // no iterator, which would be an allocation
            own(inputs.get(i));
        }
        requireOpen();
        if (takesWork()) {
            try {
                device().kernels().combine(combination, arguments, handle);
            } catch (DeviceException refused) {
                poison(refused);
            }
        }
    }

    @Override
    public void rescale(GuidanceRescale rescale) {
        own(rescale.out());
        own(rescale.guided());
        own(rescale.text());
        own(rescale.work());
        requireOpen();
        if (takesWork()) {
            try {
                device().kernels().rescale(rescale, arguments, handle);
            } catch (DeviceException refused) {
                poison(refused);
            }
        }
    }

    @Override
    public void limit(Limiting limiting) {
        own(limiting.out());
        own(limiting.in());
        requireOpen();
        if (takesWork()) {
            try {
                device().kernels().limit(limiting, arguments, handle);
            } catch (DeviceException refused) {
                poison(refused);
            }
        }
    }

    @Override
    public void guard(Tensor tensor, Slice mark, int label) {
        own(tensor.slice());
        own(mark);
        StreamCheck.requireGuardable(tensor, mark);
        requireOpen();
        if (takesWork()) {
            try {
                device().kernels().guard(tensor, mark, label, arguments, handle);
            } catch (DeviceException refused) {
                poison(refused);
            }
        }
    }

    @Override
    public void beginRecording() {
        requireOpen();
        capture.requireNone(this);
        capture.begin(handle);
    }

    @Override
    public Recording endRecording() {
        requireOpen();
        return device().openObjects().add(new CudaRecording(device(), capture.end(this, handle)));
    }

    @Override
    public void replay(Recording recording) {
        if (!(recording instanceof CudaRecording known) || known.device() != device()) {
            throw new IllegalArgumentException("a recording of " + recording.device().name()
                + " cannot be replayed on a stream of " + device().name());
        }
        requireOpen();
        known.requireOpen();
        capture.requireNone(this);
        if (takesWork()) {
            try {
                calls.launch(known.graph(), handle);
            } catch (DeviceException refused) {
                poison(refused);
            }
        }
    }

    @Override
    public void record(Event event) {
        CudaEvent known = CudaEvent.of(event);
        requireOpen();
        capture.requireNone(this);
        try {
            known.put(device(), handle, failure);
        } catch (DeviceException refused) {
            poison(refused);
            known.fail(device(), failure);
        }
    }

    @Override
    public void await(Event event) {
        CudaEvent known = CudaEvent.of(event);
        requireOpen();
        capture.requireNone(this);
        try {
            DeviceException before = known.holdBack(device(), handle);
            upstream.add(known.place());
            if (before != null) {
                poison(before);
            }
        } catch (DeviceException refused) {
            poison(refused);
        }
    }

    /** Makes another stream of the device wait for what this one was given; what is being captured is not that. */
    void holdBack(MemorySegment waiting, MemorySegment event) {
        capture.holdBack(handle, waiting, event);
    }

    @Override
    public void synchronize() {
        requireOpen();
        capture.requireNone(this);
        long start = System.nanoTime();
        while (!calls.isIdle(handle)) {
            CudaDevice stuck = upstream.givenUp();
            if (stuck != null) {
                device().abandon(handle);
                handle = calls.newStream();
                upstream.clear();
                failure = null;
                stuck.requireUsable();
            }
            Pause.after(System.nanoTime() - start);
        }
        upstream.clear();
        DeviceException first = failure;
        if (first != null) {
            failure = null;
            throw Failures.thrown(first);
        }
    }

    private boolean takesWork() {
        return capture.isRunning() ? !capture.isSpoilt() : failure == null;
    }

    private void poison(DeviceException why) {
        if (capture.isRunning()) {
            capture.spoil(why);
        } else if (failure == null) {
            failure = why;
        }
    }

    private void own(Slice slice) {
        CudaBuffer buffer = CudaBuffer.of(slice);
        if (buffer.device() != device()) {
            throw new IllegalArgumentException("a buffer of " + buffer.device().name()
                + " cannot be used by a stream of " + device().name());
        }
    }

    /** From now on somebody else waits for the stream, which may be stuck. Returns it. */
    MemorySegment abandoned() {
        capture.retire(() -> { });
        return handle;
    }

    /** The driver's stream, for tests and for engines that are no ordinary ones. */
    MemorySegment handle() {
        return handle;
    }

    @Override
    public void free() {
        capture.drop(handle);
        DeviceException failed = null;
        try {
            awaitEnd();
        } catch (DeviceException asking) {
            failed = asking;
        }
        if (calls.health().isGivenUp() || upstream.givenUp() != null) {
            device().abandon(handle);
            abandoned();
            return;
        }
        if (failure != null) {
            LOG.warn("a stream was closed with a failure that nobody asked for: {}", failure.getMessage());
        }
        capture.retire(() -> calls.destroyStream(handle));
        if (failed != null && !calls.health().isLost()) {
            throw failed;
        }
    }

    /** Waits until nothing runs any more or may never end. One bad answer of the driver does not mean that. */
    private void awaitEnd() {
        long start = System.nanoTime();
        DeviceException failed = null;
        while (upstream.givenUp() == null) {
            try {
                if (calls.isIdle(handle)) {
                    break;
                }
            } catch (DeviceException asking) {
                if (failed != null || calls.health().isLost()) {
                    throw asking;
                }
                failed = asking;
            }
            Pause.after(System.nanoTime() - start);
        }
        if (failed != null) {
            throw failed;
        }
    }

    @Override
    public String toString() {
        return "stream " + name;
    }
}
