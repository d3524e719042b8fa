package dev.slipstream.bridge.cpu;

import ai.onnxruntime.OrtException;
import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.Arithmetic.GuidanceRescale;
import dev.slipstream.bridge.Arithmetic.Limiting;
import dev.slipstream.bridge.Arithmetic.RelativeChange;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceLostException;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.provider.BaseBindings;
import dev.slipstream.bridge.provider.BaseBuffer;
import dev.slipstream.bridge.provider.BaseDevice;
import dev.slipstream.bridge.provider.BaseEngine;
import dev.slipstream.bridge.provider.BaseEvent;
import dev.slipstream.bridge.provider.BaseStream;
import dev.slipstream.bridge.provider.Failures;
import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A share of the cores: some threads, not tied to particular cores if that was not asked for, as the system knows
 * better which are free.
 *
 * <p>Once it is given up, what is closed is not freed while a worker thread is alive that may still write to it. The
 * last worker to end frees that; where a worker never ends it is leaked on purpose, as memory that disappears under a
 * running engine ends the process.
 */
final class CpuDevice extends BaseDevice {
    /**
     * ONNX Runtime has no kernels for bfloat16 on CPUs; halves it computes in float32. Copying takes the same cores as
     * computing, so what another CPU device has is read there. Queueing costs a few hundred nanoseconds, so graphs
     * would gain nothing.
     */
    static final Device.Traits TRAITS = new Device.Traits("cpu", Device.Traits.Dialect.ONNX_RUNTIME,
        EnumSet.complementOf(EnumSet.of(DataType.BFLOAT16)), false, true, Device.Traits.Capture.NONE, false);

    private final CpuShare share;
    private final String description;
    private final KeptEngines engines;
    private final Runnable afterClose;

    /** Streams whose worker threads are alive. */
    private final Set<CpuStream> working = ConcurrentHashMap.newKeySet();

    /** @param afterClose called once, when the device is closed and its name is free */
    CpuDevice(String name, CpuShare share, String description, KeptEngines engines, Runnable afterClose) {
        super(name, TRAITS);
        this.engines = engines;
        this.share = share;
        this.description = description;
        this.afterClose = afterClose;
        ProcessExit.deviceOpened();
    }

    CpuShare share() {
        return share;
    }

    /** Where engines with large weights are kept. */
    KeptEngines engines() {
        return engines;
    }

    @Override
    public String description() {
        return description;
    }

    @Override
    protected BaseBuffer<CpuDevice> makeBuffer(long bytes) {
        return CpuBuffer.allocate(this, bytes);
    }

    @Override
    protected BaseStream<CpuDevice> makeStream(String streamName) {
        return new CpuStream(this, streamName).start();
    }

    @Override
    protected BaseEvent<CpuDevice> makeEvent(boolean timed) {
        return new CpuEvent(this, timed);
    }

    @Override
    protected BaseEngine<CpuDevice> makeEngine(EngineSource source) {
        return CpuEngine.build(this, source);
    }

    @Override
    protected Memory readMemory() {
        return MachineMemory.now();
    }

    void workerStarts(CpuStream stream) {
        working.add(stream);
        health().reason().ifPresent(stream::abandon);
    }

    void workerEnded(CpuStream stream) {
        working.remove(stream);
        if (working.isEmpty()) {
            freeDeferred();
        }
    }

    /** The worker threads are abandoned: an engine of ONNX Runtime cannot be stopped from outside. */
    @Override
    protected void abandonWork() {
        health().reason().ifPresent(why -> working.forEach(stream -> stream.abandon(why)));
    }

    @Override
    protected boolean mayBeInUse() {
        return health().isGivenUp() && !working.isEmpty();
    }

    @Override
    protected void shutDown() {
        if (!health().isLost()) {
            ProcessExit.deviceClosed();
        }
        afterClose.run();
    }

    /** A queue of commands, and the thread that takes and does them, until one says to stop. */
    private static final class CpuStream extends BaseStream<CpuDevice> {
        private final String errorName;
        private final CommandQueue queue = new CommandQueue();
        private final CpuKernels kernels = new CpuKernels();
        private final Thread worker;

        CpuStream(CpuDevice device, String name) {
            super(device, name);
            this.errorName = device.name() + " (stream " + name + ")";
            this.worker = Thread.ofPlatform().daemon().name(name).unstarted(this::work);
        }

        /** Starts the thread, which a constructor must not do: the object is not complete there. */
        CpuStream start() {
            device().workerStarts(this);
            worker.start();
            return this;
        }

        /** Waits for the worker no longer, whatever it does. */
        void abandon(DeviceLostException why) {
            queue.abandon(why);
        }

        @Override
        protected void enqueueRun(BaseBindings bindings) {
            Command command = queue.claim(Command.Operation.RUN);
            command.bindings = (CpuBindings) bindings;
            queue.publish();
        }

        @Override
        protected void enqueueCopy(Slice from, Slice to) {
            enqueueCopy(segment(from), from.offset(), segment(to), to.offset(), from.bytes());
        }

        @Override
        protected void enqueueUpload(MemorySegment from, Slice to) {
            enqueueCopy(from, 0, segment(to), to.offset(), to.bytes());
        }

        @Override
        protected void enqueueDownload(Slice from, MemorySegment to) {
            enqueueCopy(segment(from), from.offset(), to, 0, from.bytes());
        }

        private static MemorySegment segment(Slice slice) {
            return ((CpuBuffer) slice.buffer()).segment();
        }

        private void enqueueCopy(MemorySegment from, long fromOffset, MemorySegment to, long toOffset, long bytes) {
            Command command = queue.claim(Command.Operation.COPY);
            command.from = from;
            command.fromOffset = fromOffset;
            command.to = to;
            command.toOffset = toOffset;
            command.bytes = bytes;
            queue.publish();
        }

        @Override
        protected void enqueueCombine(Combination combination) {
            Command command = queue.claim(Command.Operation.COMBINE);
            command.combination = combination;
            queue.publish();
        }

        @Override
        protected void enqueueRescale(GuidanceRescale rescale) {
            Command command = queue.claim(Command.Operation.RESCALE);
            command.rescale = rescale;
            queue.publish();
        }

        @Override
        protected void enqueueLimit(Limiting limiting) {
            Command command = queue.claim(Command.Operation.LIMIT);
            command.limiting = limiting;
            queue.publish();
        }

        @Override
        protected void enqueueCompare(RelativeChange change) {
            Command command = queue.claim(Command.Operation.COMPARE);
            command.change = change;
            queue.publish();
        }

        @Override
        protected void enqueueFiniteCheck(Tensor tensor, Slice mark, int label) {
            Command command = queue.claim(Command.Operation.CHECK_FINITE);
            command.checked = tensor;
            command.mark = mark;
            command.label = label;
            queue.publish();
        }

        @Override
        protected void enqueueRecord(BaseEvent<?> event) {
            CpuEvent known = (CpuEvent) event;
            if (!known.isTimed()) {
                known.put(queue.done(), queue.outcome(), queue.end());
                return;
            }
            Command command = queue.claim(Command.Operation.STAMP);
            command.event = known;
            known.put(queue.done(), queue.outcome(), queue.end() + 1);
            known.copyTo(command);
            queue.publish();
        }

        @Override
        protected void enqueueAwait(BaseEvent<?> event) {
            Command command = queue.claim(Command.Operation.AWAIT);
            if (((CpuEvent) event).copyTo(command)) {
                queue.publish();
            }
        }

        @Override
        protected void drain() {
            queue.drain();
            DeviceException failure = queue.outcome().failure();
            if (failure != null) {
                queue.renewOutcome();
                throw Failures.copyForCaller(failure);
            }
        }

        @Override
        protected void free() {
            try {
                queue.claim(Command.Operation.STOP);
                queue.publish();
                queue.drain();
            } catch (DeviceLostException abandoned) {
                return;
            }
            join();
            logUnasked(queue.outcome().failure());
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

        /** What the worker thread does until it is told to stop, or the stream is abandoned. */
        private void work() {
            if (!device().share().cores().isEmpty()) {
                Cores.bind(device().share().cores());
            }
            boolean running = true;
            while (running) {
                Command command = queue.take();
                running = command != null && command.operation != Command.Operation.STOP;
                if (command != null) {
                    if (!queue.outcome().isFailed()) {
                        perform(command);
                    }
                    queue.finish(command);
                }
            }
            device().workerEnded(this);
        }

        // The worker must outlive whatever goes wrong, or all threads that wait for it would hang: so it catches all
        // there is.
        private void perform(Command command) {
            try {
                command.perform(kernels, queue, device().name());
            } catch (OrtException failure) {
                fail(command + " failed: " + OnnxRuntime.reason(failure), failure);
            } catch (Command.SkippedException skipped) {
                fail(skipped.getMessage(), skipped.getCause());
            } catch (Throwable failure) {
                fail(command + " failed: " + Failures.reason(failure), failure);
            }
        }

        private void fail(String what, Throwable cause) {
            String message = errorName + ": " + what;
            queue.outcome().fail(queue.done().reached(), cause instanceof DeviceException known
                ? Failures.like(known, message) : new DeviceException(message, cause));
        }
    }
}
