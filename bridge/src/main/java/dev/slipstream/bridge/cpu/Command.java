package dev.slipstream.bridge.cpu;

import ai.onnxruntime.OrtException;
import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.Arithmetic.GuidanceRescale;
import dev.slipstream.bridge.Arithmetic.Limiting;
import dev.slipstream.bridge.Arithmetic.RelativeChange;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.provider.Failures;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;

/**
 * A slot of a stream's queue: what to do, and with what. Slots are made once and filled again and again, so that
 * queueing allocates nothing; which fields mean something depends on the operation.
 */
final class Command {
    /** What a command does. */
    enum Operation { RUN, COPY, COMBINE, RESCALE, LIMIT, COMPARE, CHECK_FINITE, AWAIT, STAMP, STOP }

    /** An event could not be reached, or work before it failed: the cause. */
    static final class SkippedException extends Exception {
        private static final long serialVersionUID = 1;

        SkippedException(DeviceException cause) {
            super("skipped, as it waits for work that failed: " + cause.getMessage(), cause);
        }
    }

    /**
     * For JDK Flight Recorder: work on a stream of a CPU device, on the thread that does it. Nobody touches a class of
     * events before the recorder is there: the first one makes the JDK set all of it up, 60 ms of every start.
     */
    @Category("Slipstream")
    private abstract static class Recorded extends jdk.jfr.Event {
        @Label("Device")
        String device;
    }

    @Name("dev.slipstream.Stage")
    @Label("Stage")
    @Description("An engine ran on a CPU device")
    private static final class StageRun extends Recorded {
        @Label("Engine")
        String engine;
    }

    @Name("dev.slipstream.Copy")
    @Label("Copy")
    @Description("Bytes were copied on a CPU device, or from or to another")
    private static final class Copy extends Recorded {
        @Label("Bytes")
        @DataAmount
        long bytes;
    }

    @Name("dev.slipstream.Wait")
    @Label("Wait")
    @Description("A stream of a CPU device waited for another stream")
    private static final class StreamWait extends Recorded {
    }

    /** The events of a slot, made once, when Flight Recorder is first seen, as queued work allocates nothing. */
    private static final class Recorder {
        private StageRun stageRun;
        private Copy copy;
        private StreamWait streamWait;

        StageRun stageRun() {
            stageRun = stageRun == null ? new StageRun() : stageRun;
            return stageRun;
        }

        Copy copy() {
            copy = copy == null ? new Copy() : copy;
            return copy;
        }

        StreamWait streamWait() {
            streamWait = streamWait == null ? new StreamWait() : streamWait;
            return streamWait;
        }
    }

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final boolean KNOWS_CPU_TIME = THREADS.isCurrentThreadCpuTimeSupported();

    private final Recorder recorder = new Recorder();

    Operation operation;

    /** RUN. */
    CpuBindings bindings;

    /** COPY: {@code bytes} from one segment to the other. */
    MemorySegment from;
    long fromOffset;
    MemorySegment to;
    long toOffset;
    long bytes;

    /** COMBINE. */
    Combination combination;

    /** RESCALE. */
    GuidanceRescale rescale;

    /** LIMIT. */
    Limiting limiting;

    /** COMPARE. */
    RelativeChange change;

    /** CHECK_FINITE. */
    Tensor checked;
    Slice mark;
    int label;

    /** AWAIT: another stream's progress to a position, and how that went. STAMP: this stream's own. */
    Progress progress;
    Outcome outcome;
    long position;

    /** STAMP: the timed event to put the time on. */
    CpuEvent event;

    /** Does it, on the stream's worker thread; returns when it is done. @param device its name */
    void perform(CpuKernels kernels, CommandQueue queue, String device) throws OrtException, SkippedException {
        switch (operation) {
            case RUN -> run(device);
            case COPY -> copy(device);
            case COMBINE -> kernels.combine(combination);
            case RESCALE -> kernels.rescale(rescale);
            case LIMIT -> kernels.limit(limiting);
            case COMPARE -> kernels.compare(change);
            case CHECK_FINITE -> CpuKernels.checkFinite(checked, mark, label);
            case AWAIT -> await(queue, device);
            case STAMP -> stamp();
            case STOP -> { /* the worker ends */ }
        }
    }

    private void run(String device) throws OrtException {
        if (!FlightRecorder.isInitialized()) {
            bindings.run();
            return;
        }
        StageRun stageRun = recorder.stageRun();
        stageRun.begin();
        bindings.run();
        stageRun.end();
        if (stageRun.shouldCommit()) {
            stageRun.device = device;
            stageRun.engine = bindings.context().engine().name();
            stageRun.commit();
        }
    }

    private void copy(String device) {
        if (!FlightRecorder.isInitialized()) {
            MemorySegment.copy(from, fromOffset, to, toOffset, bytes);
            return;
        }
        Copy copy = recorder.copy();
        copy.begin();
        MemorySegment.copy(from, fromOffset, to, toOffset, bytes);
        copy.end();
        if (copy.shouldCommit()) {
            copy.device = device;
            copy.bytes = bytes;
            copy.commit();
        }
    }

    private void await(CommandQueue queue, String device) throws SkippedException {
        DeviceException failure = isReached(queue, device) ? outcome.failureBefore(position) : progress.abandoned();
        if (failure != null) {
            throw new SkippedException(Failures.origin(failure));
        }
    }

    private boolean isReached(CommandQueue queue, String device) {
        if (!FlightRecorder.isInitialized()) {
            return queue.await(this);
        }
        StreamWait wait = recorder.streamWait();
        wait.begin();
        boolean reached = queue.await(this);
        wait.end();
        if (wait.shouldCommit()) {
            wait.device = device;
            wait.commit();
        }
        return reached;
    }

    private void stamp() {
        long now = System.nanoTime();
        event.stamp(progress, position, now, KNOWS_CPU_TIME ? THREADS.getCurrentThreadCpuTime() : now);
    }

    /** Forgets what it names, which could not be collected otherwise until the slot is used again. */
    void clear() {
        bindings = null;
        from = null;
        to = null;
        combination = null;
        rescale = null;
        limiting = null;
        change = null;
        checked = null;
        mark = null;
        progress = null;
        outcome = null;
        event = null;
    }

    /** What errors call it. */
    @Override
    public String toString() {
        return switch (operation) {
            case RUN -> "running " + bindings.context().engine().name();
            case COPY -> "copying " + bytes + " bytes";
            case COMBINE -> "combining " + combination.inputs().size() + " tensors of " + combination.out().bytes()
                + " bytes";
            case RESCALE -> "rescaling guidance of " + rescale.pictures() + " pictures";
            case LIMIT -> "limiting " + limiting.pictures() + " pictures: " + limiting.limit();
            case COMPARE -> "comparing tensors of " + change.now().bytes() + " bytes";
            case CHECK_FINITE -> "checking a tensor " + checked.type();
            case AWAIT -> "waiting for an event";
            case STAMP -> "recording a timed event";
            case STOP -> "stopping";
        };
    }
}
