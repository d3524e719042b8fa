package dev.slipstream.pipelines.run;

import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.Stream;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;

/**
 * A program made ready on devices: streams, buffers, contexts and bindings. It can run again and again, each time with
 * other host values; a run that failed or was cancelled leaves it ready for the next.
 *
 * <p><b>Threads:</b> one run at a time; the caller's thread queues everything, a few steps ahead of the devices, and
 * then waits for the last step. <b>Ownership:</b> it owns what it made and closes it; engines and devices stay the
 * caller's.
 */
public final class Execution implements AutoCloseable {
    /** How many steps the host queues ahead; more would only make cancelling slower. */
    private static final int STEPS_AHEAD = 4;

    /** How long one step may take, where nobody says: long enough for a large picture on one core. */
    public static final Duration DEFAULT_PATIENCE = Duration.ofMinutes(10);

    private final Program program;
    private final Resources resources;
    private final Runnable[] commands;
    private final int[] stepEnds;
    private final Tracer tracer;
    private final Stream hostStream;
    private final Watch watch;
    private final Guards guards;
    private final Replays replays;
    private final long[] queueNanos;
    private int queued;

    /**
     * @param engines one a stage of the plan
     * @param traced whether runs are timed ({@link #timeline}); that excludes replaying, as it times each stage
     * @param replayed whether what recurs is recorded and replayed, on devices that can
     * @param patience how long one step may take before the devices that do not move are given up
     * @throws IllegalArgumentException if the program waits for what is not recorded before
     * @throws DeviceException if a device has no room, or an engine does not take the tensors; nothing stays allocated
     */
    public Execution(Program program, List<Device> devices, List<StageEngine> engines, boolean traced,
        boolean replayed, Duration patience) {
        EventCheck.check(program);
        this.program = program;
        this.resources = new Resources();
        try {
            resources.allocate(program, devices);
            Device home = resources.slice(program.latents().getFirst()).buffer().device();
            this.hostStream = resources.newStream(home, " host");
            this.tracer = traced ? new Tracer(resources, devices.getFirst()) : null;
            List<Recurrence.Chunk> chunks =
                Recurrence.chunks(program, instruction -> replayed && !traced && isRecordable(instruction));
            this.commands = new Binder(program, resources, engines, tracer).bind(chunks);
            this.replays = Recurrence.summary(program, chunks);
            this.watch = new Watch(program, resources, engines.stream().map(it -> it.engine().name()).toList(),
                patience);
            this.guards = new Guards(program, resources, watch.names());
            this.stepEnds = Binder.stepEnds(program);
            this.queueNanos = new long[program.steps()];
        } catch (RuntimeException | Error failure) {
            resources.closeAfter(failure);
            throw failure;
        }
    }

    private boolean isRecordable(Instruction instruction) {
        Device device = resources.device(program.streams().get(instruction.stream()).device());
        return device.replays() && (!(instruction instanceof Instruction.Copy copy)
            || List.of(copy.from(), copy.to()).stream().map(region -> resources.buffers().get(region.buffer()).device())
                .allMatch(other -> other == device || device.recordsCopiesWith(other)));
    }

    /**
     * Runs the program once.
     *
     * @param given the tensors that {@link HostInput.Given} names; they are read before the loop starts
     * @throws CancellationException if the observer asked to stop
     * @throws LoopStuckException if a step took longer than the patience; devices that did not move are given up
     * @throws BadValueException if the program is guarded, and a stage made NaN or infinite values
     * @throws DeviceException if work failed
     */
    public void run(Map<String, MemorySegment> given, LoopObserver observer) {
        try {
            upload(given);
            loop(observer);
        } catch (RuntimeException | Error failure) {
            watch.drain(failure);
            throw failure;
        }
    }

    private void upload(Map<String, MemorySegment> given) {
        HostTensors tensors = new HostTensors(given);
        for (HostInput input : program.hostInputs()) {
            Slice to = resources.slice(input.to());
            resources.streamOf(to.buffer()).upload(tensors.bytes(input), to);
        }
        watch.awaitAll("what the host uploads", 0);
        tensors.keepUntilHere();
    }

    private void loop(LoopObserver observer) {
        if (tracer != null) {
            tracer.start(resources.streams().getFirst());
        }
        queued = 0;
        int done = 0;
        for (int step = 0; step < stepEnds.length; step++) {
            if (observer.isCancelled()) {
                throw new CancellationException("cancelled before step " + (step + 1) + " of " + stepEnds.length);
            }
            long start = System.nanoTime();
            for (; queued < stepEnds[step]; queued++) {
                commands[queued].run();
            }
            queueNanos[step] = System.nanoTime() - start;
            if (step >= STEPS_AHEAD) {
                awaitStep(done++, observer);
            }
        }
        while (done < stepEnds.length) {
            if (observer.isCancelled()) {
                throw new CancellationException("cancelled at step " + (done + 1) + " of " + stepEnds.length);
            }
            awaitStep(done++, observer);
        }
        watch.awaitAll("the last step", queued);
        guards.check();
    }

    private void awaitStep(int step, LoopObserver observer) {
        watch.awaitStep(step, queued);
        observer.stepDone(step, stepEnds.length);
    }

    /**
     * Copies the latents after a step to host memory: float32, like the first latents. After a run any step's, if the
     * loop keeps them, else the last; during a run, from the observer, a step that is done. It has a stream of its own,
     * so that it does not wait for what is queued.
     */
    public void latents(int step, MemorySegment to) {
        download(program.latents().get(step), to);
    }

    /**
     * Copies the clean image that a step expects to host memory: float32, like the latents and in the scale of the last
     * ones. After a run or, from the observer, when the step is done.
     *
     * @throws IllegalArgumentException if the loop does not estimate at this step
     */
    public void estimate(int step, MemorySegment to) {
        Region estimate = program.estimates().get(step);
        if (estimate == null) {
            throw new IllegalArgumentException("the loop makes no estimate at step " + (step + 1) + " of "
                + program.steps() + ", only at " + program.estimates().keySet().stream().map(it -> it + 1).toList());
        }
        download(estimate, to);
    }

    private void download(Region from, MemorySegment to) {
        try {
            hostStream.download(resources.slice(from), to);
            hostStream.synchronize();
        } catch (RuntimeException | Error failure) {
            // The caller may free the memory now, so nothing may still write to it.
            watch.drain(failure);
            throw failure;
        }
    }

    /** How much of the program is replayed; nothing on devices that cannot, or where the execution is traced. */
    public Replays replays() {
        return replays;
    }

    public Program program() {
        return program;
    }

    /** What the last run did when, if the execution is traced. */
    public Timeline timeline() {
        if (tracer == null) {
            throw new IllegalStateException("this execution is not traced");
        }
        return tracer.timeline();
    }

    /** Host time that the last run spent queueing a step, in nanoseconds; waits for the devices are not in it. */
    public long queueNanos(int step) {
        return queueNanos[step];
    }

    /** Bytes of buffers on a device. */
    public long bufferBytes(int device) {
        return resources.buffers().stream().filter(buffer -> buffer.device() == resources.device(device))
            .mapToLong(Buffer::bytes).sum();
    }

    @Override
    public void close() {
        resources.close();
    }
}
