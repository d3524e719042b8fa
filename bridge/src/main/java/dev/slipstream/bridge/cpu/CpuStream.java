package dev.slipstream.bridge.cpu;

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
import dev.slipstream.bridge.provider.DeviceObject;
import dev.slipstream.bridge.provider.Failures;
import dev.slipstream.bridge.provider.StreamCheck;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A queue and its worker thread. What is wrong with a command is said when it is queued, as far as it can be known. */
final class CpuStream extends DeviceObject<CpuDevice> implements Stream {
    private static final Logger LOG = LoggerFactory.getLogger(CpuStream.class);

    private final String name;
    private final CommandQueue queue = new CommandQueue();
    private final Thread worker;

    CpuStream(CpuDevice device, String name) {
        super(device);
        this.name = name;
        this.worker = Thread.ofPlatform().daemon().name(name)
            .unstarted(new StreamWorker(queue, device.name() + " (stream " + name + ")",
                () -> device.workers().ended(this)));
    }

    /** Starts the thread, which a constructor must not do: the object is not complete there. */
    CpuStream start() {
        device().workers().started(this);
        worker.start();
        return this;
    }

    /** Waits for the worker no longer, whatever it does. */
    void abandon(DeviceLostException why) {
        queue.abandon(why);
    }

    @Override
    public void run(Bindings bindings) {
        if (!(bindings instanceof CpuBindings known) || known.context().device() != device()) {
            throw new IllegalArgumentException("bindings of " + bindings.context().engine().name() + " on "
                + bindings.context().engine().device().name() + " cannot run on a stream of " + device().name());
        }
        known.requireOpen();
        Command command = claim(Command.Operation.RUN);
        command.bindings = known;
        queue.publish();
    }

    @Override
    public void copy(Slice from, Slice to) {
        CpuBuffer source = CpuBuffer.of(from);
        CpuBuffer target = CpuBuffer.of(to);
        if (source.device() != device() && target.device() != device()) {
            throw new IllegalArgumentException("a stream of " + device().name() + " cannot copy from "
                + source.device().name() + " to " + target.device().name());
        }
        queueCopy(source.segment(), from.offset(), from.bytes(), target.segment(), to.offset(), to.bytes());
    }

    @Override
    public void upload(MemorySegment from, Slice to) {
        StreamCheck.requireShared(from, worker);
        queueCopy(from, 0, from.byteSize(), own(to).segment(), to.offset(), to.bytes());
    }

    @Override
    public void download(Slice from, MemorySegment to) {
        StreamCheck.requireWritable(to, worker);
        queueCopy(own(from).segment(), from.offset(), from.bytes(), to, 0, to.byteSize());
    }

    private void queueCopy(MemorySegment from, long fromOffset, long fromBytes,
            MemorySegment to, long toOffset, long toBytes) {
        StreamCheck.requireSameSize(fromBytes, toBytes);
        Command command = claim(Command.Operation.COPY);
        command.from = from;
        command.fromOffset = fromOffset;
        command.to = to;
        command.toOffset = toOffset;
        command.bytes = fromBytes;
        queue.publish();
    }

    @Override
    public void combine(Combination combination) {
        own(combination.out());
        List<Slice> inputs = combination.inputs();
        for (int i = 0; i < inputs.size(); i++) { // no iterator, which would be an allocation
            own(inputs.get(i));
        }
        Command command = claim(Command.Operation.COMBINE);
        command.combination = combination;
        queue.publish();
    }

    @Override
    public void rescale(GuidanceRescale rescale) {
        own(rescale.out());
        own(rescale.guided());
        own(rescale.text());
        own(rescale.work());
        Command command = claim(Command.Operation.RESCALE);
        command.rescale = rescale;
        queue.publish();
    }

    @Override
    public void limit(Limiting limiting) {
        own(limiting.out());
        own(limiting.in());
        Command command = claim(Command.Operation.LIMIT);
        command.limiting = limiting;
        queue.publish();
    }

    @Override
    public void guard(Tensor tensor, Slice mark, int label) {
        own(tensor.slice());
        own(mark);
        StreamCheck.requireGuardable(tensor, mark);
        Command command = claim(Command.Operation.GUARD);
        command.guarded = tensor;
        command.mark = mark;
        command.label = label;
        queue.publish();
    }

    @Override
    public void beginRecording() {
        requireOpen();
        throw new UnsupportedOperationException(device().name() + " does not replay");
    }

    @Override
    public Recording endRecording() {
        requireOpen();
        throw new IllegalStateException(this + " of " + device().name() + " does not record");
    }

    @Override
    public void replay(Recording recording) {
        requireOpen();
        throw new IllegalArgumentException(device().name() + " does not replay");
    }

    @Override
    public void record(Event event) {
        CpuEvent known = CpuEvent.of(event);
        requireOpen();
        if (!known.isTimed()) {
            known.put(queue.done(), queue.outcome(), queue.end());
            return;
        }
        Command command = claim(Command.Operation.STAMP);
        command.event = known;
        known.put(queue.done(), queue.outcome(), queue.end() + 1);
        known.copyTo(command);
        queue.publish();
    }

    @Override
    public void await(Event event) {
        CpuEvent known = CpuEvent.of(event);
        Command command = claim(Command.Operation.AWAIT);
        if (known.copyTo(command)) {
            queue.publish();
        }
    }

    @Override
    public void synchronize() {
        requireOpen();
        queue.drain();
        DeviceException failure = queue.outcome().failure();
        if (failure != null) {
            queue.renewOutcome();
            throw Failures.thrown(failure);
        }
    }

    private Command claim(Command.Operation operation) {
        requireOpen();
        return queue.claim(operation);
    }

    private CpuBuffer own(Slice slice) {
        CpuBuffer buffer = CpuBuffer.of(slice);
        if (buffer.device() != device()) {
            throw new IllegalArgumentException("a buffer of " + buffer.device().name()
                + " cannot be used by a stream of " + device().name());
        }
        return buffer;
    }

    @Override
    public void free() {
        try {
            queue.claim(Command.Operation.STOP);
            queue.publish();
            queue.drain();
        } catch (DeviceLostException abandoned) {
            return;
        }
        join();
        DeviceException failure = queue.outcome().failure();
        if (failure != null) {
            LOG.warn("a stream was closed with a failure that nobody asked for: {}", failure.getMessage());
        }
    }

    private void join() {
        boolean interrupted = false;
        while (true) {
            try {
                worker.join();
                break;
            } catch (InterruptedException later) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public String toString() {
        return "stream " + name;
    }
}
