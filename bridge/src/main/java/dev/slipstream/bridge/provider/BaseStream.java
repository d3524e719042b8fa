package dev.slipstream.bridge.provider;

import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.Arithmetic.GuidanceRescale;
import dev.slipstream.bridge.Arithmetic.Limiting;
import dev.slipstream.bridge.Arithmetic.RelativeChange;
import dev.slipstream.bridge.CapturedGraph;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.ExecutionContext.Bindings;
import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What all streams check before work is queued: that stream, device, buffers and bindings are open and belong together,
 * that sizes fit, that host memory can be reached, and whether the stream captures. Then it calls a step of the
 * provider, which only queues. The checks allocate nothing, and neither may the steps from {@link #enqueueRun} to
 * {@link #enqueueAwait}.
 *
 * <p>A step throws what the provider refuses to queue at all. Work that is queued and fails later must poison the
 * stream, as {@link Stream} says.
 */
public abstract class BaseStream<D extends BaseDevice> extends DeviceObject<D> implements Stream {
    private static final Logger LOG = LoggerFactory.getLogger(BaseStream.class);

    /** Not the caller's: the threads that host memory must be open to are the provider's own. */
    private static final Thread ANOTHER_THREAD = Thread.ofPlatform().unstarted(() -> { });

    private final String name;
    private boolean capturing;

    protected BaseStream(D device, String name) {
        super(device);
        this.name = name;
    }

    /** Queues a run. @param bindings made by {@link BaseContext#makeBindings} of this device */
    protected abstract void enqueueRun(BaseBindings bindings);

    /** Queues a copy of at least one byte; the slices have one size, and one of them may be of another device. */
    protected abstract void enqueueCopy(Slice from, Slice to);

    /** Queues a copy of at least one byte from host memory. */
    protected abstract void enqueueUpload(MemorySegment from, Slice to);

    /** Queues a copy of at least one byte to host memory. */
    protected abstract void enqueueDownload(Slice from, MemorySegment to);

    protected abstract void enqueueCombine(Combination combination);

    protected abstract void enqueueRescale(GuidanceRescale rescale);

    protected abstract void enqueueLimit(Limiting limiting);

    protected abstract void enqueueCompare(RelativeChange change);

    protected abstract void enqueueFiniteCheck(Tensor tensor, Slice mark, int label);

    /** Queues a launch. @param graph made by {@link #finishCapture} on this device */
    protected void enqueueLaunch(BaseGraph<?> graph) {
        throw new UnsupportedOperationException(device().name() + " captures no graphs");
    }

    /** Puts the event, which is of this kind of device, at the present end of the queue. */
    protected abstract void enqueueRecord(BaseEvent<?> event);

    /** Makes later work wait for the event, which is of this kind of device. */
    protected abstract void enqueueAwait(BaseEvent<?> event);

    /** Blocks until all that is queued is done; throws the first failure and forgets it. */
    protected abstract void drain();

    /** From now on the steps that queue work add to a graph. Only where the device's traits say so. */
    protected void startCapture() {
        throw new UnsupportedOperationException(device().name() + " captures no graphs");
    }

    /** Whatever happens, steps queue work again afterwards. */
    protected BaseGraph<?> finishCapture() {
        throw new UnsupportedOperationException(device().name() + " captures no graphs");
    }

    /** Whether what is queued becomes part of a graph. */
    protected final boolean isCapturing() {
        return capturing;
    }

    /** Says in the log what {@link #synchronize} would have thrown. @param failure null if there was none */
    protected static void logUnasked(@Nullable DeviceException failure) {
        if (failure != null) {
            LOG.warn("a stream was closed with a failure that no synchronize had thrown: {}",
                failure.getMessage());
        }
    }

    @Override
    public final void run(Bindings bindings) {
        Device other = bindings.context().engine().device();
        if (other != device()) {
            throw new IllegalArgumentException("bindings of " + bindings.context().engine().name() + " on "
                + other.name() + " cannot run on a stream of " + device().name());
        }
        requireOpen();
        BaseBindings known = (BaseBindings) bindings;
        known.requireOpen();
        enqueueRun(known);
    }

    @Override
    public final void copy(Slice from, Slice to) {
        BaseDevice source = requireKin(from).device();
        BaseDevice target = requireKin(to).device();
        if (source != device() && target != device()) {
            throw new IllegalArgumentException("a stream of " + device().name() + " cannot copy from "
                + source.name() + " to " + target.name());
        }
        requireSameSize(from.bytes(), to.bytes());
        requireOpen();
        BaseDevice other = source == device() ? target : source;
        if (capturing && other != device() && !device().traits().capturesCopiesWith(other.traits())) {
            throw new IllegalStateException(this + " of " + device().name()
                + " is capturing, and takes no copies from or to " + other.name());
        }
        if (from.bytes() > 0) {
            enqueueCopy(from, to);
        }
    }

    @Override
    public final void upload(MemorySegment from, Slice to) {
        requireReachable(from);
        requireOwn(to);
        requireSameSize(from.byteSize(), to.bytes());
        requireOpen();
        requireNotCapturing();
        if (to.bytes() > 0) {
            enqueueUpload(from, to);
        }
    }

    @Override
    public final void download(Slice from, MemorySegment to) {
        requireReachable(to);
        if (to.isReadOnly()) {
            throw new IllegalArgumentException("the host memory to download to is read-only");
        }
        requireOwn(from);
        requireSameSize(from.bytes(), to.byteSize());
        requireOpen();
        requireNotCapturing();
        if (from.bytes() > 0) {
            enqueueDownload(from, to);
        }
    }

    @Override
    public final void combine(Combination combination) {
        requireOwn(combination.out());
        List<Slice> inputs = combination.inputs();
        for (int i = 0; i < inputs.size(); i++) { // no iterator, which would be an allocation
            requireOwn(inputs.get(i));
        }
        requireOpen();
        enqueueCombine(combination);
    }

    @Override
    public final void rescale(GuidanceRescale rescale) {
        requireOwn(rescale.out());
        requireOwn(rescale.guided());
        requireOwn(rescale.text());
        requireOwn(rescale.work());
        requireOpen();
        enqueueRescale(rescale);
    }

    @Override
    public final void limit(Limiting limiting) {
        requireOwn(limiting.out());
        requireOwn(limiting.in());
        requireOpen();
        enqueueLimit(limiting);
    }

    @Override
    public final void compare(RelativeChange change) {
        requireOwn(change.out());
        requireOwn(change.now());
        requireOwn(change.then());
        requireOwn(change.work());
        requireOpen();
        enqueueCompare(change);
    }

    @Override
    public final void checkFinite(Tensor tensor, Slice mark, int label) {
        requireOwn(tensor.slice());
        requireOwn(mark);
        requireCheckable(tensor, mark);
        requireOpen();
        enqueueFiniteCheck(tensor, mark, label);
    }

    @Override
    public final void beginCapture() {
        requireOpen();
        if (!device().traits().capturesGraphs()) {
            throw new UnsupportedOperationException(device().name() + " captures no graphs");
        }
        requireNotCapturing();
        startCapture();
        capturing = true;
    }

    @Override
    public final CapturedGraph endCapture() {
        requireOpen();
        if (!capturing) {
            throw new IllegalStateException(this + " of " + device().name() + " does not capture");
        }
        try {
            return device().add(finishCapture());
        } finally {
            capturing = false;
        }
    }

    @Override
    public final void launch(CapturedGraph graph) {
        if (graph.device() != device()) {
            throw new IllegalArgumentException("a graph of " + graph.device().name()
                + " cannot be launched on a stream of " + device().name());
        }
        requireOpen();
        BaseGraph<?> known = (BaseGraph<?>) graph;
        known.requireOpen();
        requireNotCapturing();
        enqueueLaunch(known);
    }

    @Override
    public final void record(Event event) {
        BaseEvent<?> known = requireKin(event);
        requireOpen();
        requireNotCapturing();
        enqueueRecord(known);
    }

    @Override
    public final void await(Event event) {
        BaseEvent<?> known = requireKin(event);
        requireOpen();
        requireNotCapturing();
        enqueueAwait(known);
    }

    @Override
    public final void synchronize() {
        requireOpen();
        requireNotCapturing();
        drain();
    }

    /** The open buffer of a slice, of any device of this provider. */
    private BaseBuffer<?> requireKin(Slice slice) {
        if (slice.buffer() instanceof BaseBuffer<?> buffer && isKin(buffer)) {
            buffer.requireOpen();
            return buffer;
        }
        throw new IllegalArgumentException("a buffer of " + slice.buffer().device().name()
            + " cannot be used by a stream of " + device().name() + ", which is of another provider");
    }

    private BaseEvent<?> requireKin(Event event) {
        if (event instanceof BaseEvent<?> known && isKin(known)) {
            known.requireOpen();
            return known;
        }
        throw new IllegalArgumentException(
            event + " is no event of the provider of " + device().name());
    }

    private boolean isKin(DeviceObject<?> object) {
        return object.device().getClass() == device().getClass();
    }

    private void requireOwn(Slice slice) {
        if (slice.buffer().device() != device()) {
            throw new IllegalArgumentException("a buffer of " + slice.buffer().device().name()
                + " cannot be used by a stream of " + device().name());
        }
        ((BaseBuffer<?>) slice.buffer()).requireOpen();
    }

    private void requireNotCapturing() {
        if (capturing) {
            throw new IllegalStateException(
                this + " of " + device().name() + " is capturing, and takes only what can be captured");
        }
    }

    private static void requireSameSize(long fromBytes, long toBytes) {
        if (fromBytes != toBytes) {
            throw new IllegalArgumentException("cannot copy " + fromBytes + " bytes to " + toBytes + " bytes");
        }
    }

    private static void requireReachable(MemorySegment host) {
        if (!host.isAccessibleBy(ANOTHER_THREAD)) {
            throw new IllegalArgumentException("the host memory belongs to one thread (a confined arena), "
                + "and the stream's own cannot reach it; use a shared or automatic arena");
        }
        if (!host.scope().isAlive()) {
            throw new IllegalStateException("the host memory is closed");
        }
    }

    private static void requireCheckable(Tensor tensor, Slice mark) {
        switch (tensor.type().type()) {
            case FLOAT32, FLOAT16, BFLOAT16 -> { /* these have NaN and infinite values */ }
            default -> throw new IllegalArgumentException("a tensor " + tensor.type() + " has no NaN to look for");
        }
        if (mark.bytes() != Integer.BYTES || mark.offset() % Integer.BYTES != 0) {
            throw new IllegalArgumentException("a mark is one int32, not " + mark.bytes() + " bytes from byte "
                + mark.offset() + " on");
        }
        if (mark.overlaps(tensor.slice())) {
            throw new IllegalArgumentException("the mark lies inside of the tensor that is checked");
        }
    }

    @Override
    public final String toString() {
        return "stream " + name;
    }
}
