package dev.slipstream.bridge;

import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.Arithmetic.GuidanceRescale;
import dev.slipstream.bridge.Arithmetic.Limiting;
import dev.slipstream.bridge.Arithmetic.RelativeChange;
import dev.slipstream.bridge.ExecutionContext.Bindings;
import java.lang.foreign.MemorySegment;

/**
 * A stream whose calls may fail. Work that is to fail later is dropped, and so is all that is queued after it until
 * {@link #synchronize}: to those who look from outside that is what a failure in the queue does, as nothing can be
 * seen of a queue but its results and events.
 */
final class FaultyStream implements Stream {
    private final Stream real;
    private final FaultyDevice device;
    private DeviceException poison;
    private boolean capturing;
    private DeviceException spoiled;

    FaultyStream(Stream real, FaultyDevice device) {
        this.real = real;
        this.device = device;
    }

    Stream real() {
        return real;
    }

    @Override
    public Device device() {
        return device;
    }

    @Override
    public void run(Bindings bindings) {
        String engine = bindings.context().engine().name();
        queue(Faults.Call.RUN, device.name() + " of engine " + engine,
            () -> real.run(((FaultyEngine.FaultyBindings) bindings).real()));
    }

    @Override
    public void copy(Slice from, Slice to) {
        queue(Faults.Call.COPY, () -> real.copy(FaultyBuffer.unwrap(from), FaultyBuffer.unwrap(to)));
    }

    @Override
    public void upload(MemorySegment from, Slice to) {
        queue(Faults.Call.UPLOAD, () -> real.upload(from, FaultyBuffer.unwrap(to)));
    }

    @Override
    public void download(Slice from, MemorySegment to) {
        queue(Faults.Call.DOWNLOAD, () -> real.download(FaultyBuffer.unwrap(from), to));
    }

    @Override
    public void combine(Combination combination) {
        queue(Faults.Call.COMBINE, () -> real.combine(FaultyBuffer.unwrap(combination)));
    }

    @Override
    public void rescale(GuidanceRescale rescale) {
        queue(Faults.Call.RESCALE, () -> real.rescale(FaultyBuffer.unwrap(rescale)));
    }

    @Override
    public void limit(Limiting limiting) {
        queue(Faults.Call.LIMIT, () -> real.limit(FaultyBuffer.unwrap(limiting)));
    }

    @Override
    public void compare(RelativeChange change) {
        queue(Faults.Call.COMPARE, () -> real.compare(FaultyBuffer.unwrap(change)));
    }

    @Override
    public void checkFinite(Tensor tensor, Slice mark, int label) {
        Tensor unwrapped = new Tensor(FaultyBuffer.unwrap(tensor.slice()), tensor.type());
        queue(Faults.Call.CHECK_FINITE, () -> real.checkFinite(unwrapped, FaultyBuffer.unwrap(mark), label));
    }

    @Override
    public void beginCapture() {
        device.faults().next(Faults.Call.BEGIN_CAPTURE, device.name());
        real.beginCapture();
        capturing = true;
        spoiled = null;
    }

    @Override
    public CapturedGraph endCapture() {
        capturing = false;
        CapturedGraph noted = real.endCapture(); // whatever happens, the stream captures no more
        try {
            device.faults().next(Faults.Call.END_CAPTURE, device.name());
            if (spoiled != null) {
                throw new DeviceException(spoiled.getMessage(), spoiled);
            }
        } catch (DeviceException injected) {
            noted.close();
            throw injected;
        }
        return new FaultyGraph(noted, device);
    }

    @Override
    public void launch(CapturedGraph graph) {
        queue(Faults.Call.LAUNCH, () -> real.launch(((FaultyGraph) graph).real()));
    }

    @Override
    public void record(Event event) {
        FaultyEvent faulty = (FaultyEvent) event;
        poison(device.faults().next(Faults.Call.RECORD, device.name()));
        real.record(faulty.real()); // also when poisoned: the event fails once the work before it is done
        faulty.recorded(poison);
    }

    @Override
    public void await(Event event) {
        FaultyEvent faulty = (FaultyEvent) event;
        queue(Faults.Call.AWAIT, () -> real.await(faulty.real()));
        poison(faulty.failure());
    }

    private void queue(Faults.Call call, Runnable work) {
        queue(call, device.name(), work);
    }

    private void queue(Faults.Call call, String place, Runnable work) {
        DeviceException failure = device.faults().next(call, place);
        device.faults().holdBack(call, real);
        if (capturing) { // nothing is done now, so nothing fails now: what cannot be captured spoils the graph
            spoiled = spoiled == null ? failure : spoiled;
            work.run();
            return;
        }
        poison(failure);
        if (poison == null) {
            work.run();
        }
    }

    private void poison(DeviceException failure) {
        if (poison == null) {
            poison = failure;
        }
    }

    @Override
    public void synchronize() {
        device.faults().next(Faults.Call.SYNCHRONIZE, device.name());
        DeviceException injected = poison;
        poison = null;
        real.synchronize(); // a failure of its own came first, as nothing reaches it after an injected one
        if (injected != null) {
            throw new DeviceException(injected.getMessage(), injected);
        }
    }

    @Override
    public void close() {
        real.close();
    }
}
