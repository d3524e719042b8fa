package dev.slipstream.pipelines.run;

import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.Stream;
import dev.slipstream.pipelines.run.program.Decision;
import dev.slipstream.pipelines.run.program.HostInput;
import dev.slipstream.pipelines.run.program.Instruction;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Region;
import dev.slipstream.pipelines.run.program.Work;
import dev.slipstream.pipelines.run.timeline.Timeline;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A program made ready on devices: streams, buffers, contexts and bindings. It can run again and again, each time with
 * other host values; a run that failed or was cancelled leaves it ready for the next.
 *
 * <p><b>Threads:</b> one run at a time; the caller's thread queues everything, a few steps ahead of the devices but for
 * where it decides, and then waits for the last step. <b>Ownership:</b> it owns what it made and closes it; engines and
 * devices stay the caller's.
 */
public final class Execution implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Execution.class);

    /** How many steps the host queues ahead; more would only make cancelling slower. */
    public static final int STEPS_AHEAD = 4;

    /** How long one step may take by default: long enough for a large picture on one core. */
    public static final Duration DEFAULT_PATIENCE = Duration.ofMinutes(10);

    private final Program program;
    private final Resources resources;
    private final Runnable[] commands;
    private final int[] stepEnds;
    private final Decider decider;
    private final Tracer tracer;
    private final Stream hostStream;
    private final Watchdog watchdog;
    private final FiniteChecks finiteChecks;
    private final CaptureStats captureStats;
    private final long[] queueNanos;
    private final Optional<TensorObserver> looking;
    private int queued;
    private long waitedNanos;

    /**
     * @param engines one a stage of the plan
     * @param traced whether runs are timed ({@link #timeline}); that excludes captures, as it times each stage
     * @param captured whether what recurs is captured and launched as graphs, on devices that can
     * @param patience how long one step may take before the devices that do not move are given up
     * @param looking who looks at tensors between segments; that excludes captures, too
     * @throws IllegalArgumentException if the program waits for what is not recorded before
     * @throws DeviceException if a device has no room, or an engine does not take the tensors; nothing stays allocated
     */
    public Execution(Program program, List<Device> devices, List<StageEngine> engines, boolean traced,
        boolean captured, Duration patience, Optional<TensorObserver> looking) {
        program.requireRecordsBeforeWaits();
        this.program = program;
        this.resources = new Resources();
        try {
            resources.allocate(program, devices);
            Device home = resources.slice(program.latents().getFirst()).buffer().device();
            this.hostStream = resources.newStream(home, " host");
            this.decider = new Decider(program, resources);
            this.tracer = traced ? new Tracer(program, resources, engines, decider) : null;
            List<CaptureRegion> regions =
                CaptureRegion.find(program, launch -> captured && !traced && looking.isEmpty() && isCapturable(launch));
            this.looking = looking;
            this.watchdog = new Watchdog(program, resources, decider,
                engines.stream().map(it -> it.engine().name()).toList(), patience);
            this.commands = new Binder(program, resources, engines, decider, this::decide, tracer).bind(regions);
            this.captureStats = CaptureRegion.stats(program, regions);
            this.finiteChecks = new FiniteChecks();
            this.stepEnds = program.stepEnds();
            this.queueNanos = new long[program.steps()];
        } catch (RuntimeException | Error failure) {
            resources.closeAfter(failure);
            throw failure;
        }
    }

    private boolean isCapturable(Instruction.Launch launch) {
        Device device = resources.device(program.streams().get(launch.stream()).device());
        List<Region> operands = new ArrayList<>(launch.work().reads());
        operands.addAll(launch.work().writes());
        return device.traits().capturesGraphs() && !(launch.work() instanceof Work.Report)
            && operands.stream().map(region -> resources.buffers().get(region.buffer()).device())
                .allMatch(other -> other == device || device.traits().capturesCopiesWith(other.traits()));
    }

    /**
     * Runs the program once.
     *
     * @param given the tensors that {@link HostInput.Given} names; they are read before the loop starts
     * @throws CancellationException if the observer asked to stop
     * @throws LoopStuckException if a step took longer than the patience; devices that did not move are given up
     * @throws BadValueException if the program has finite checks, and a stage made NaN or infinite values
     * @throws DeviceException if work failed
     */
    public void run(Map<String, MemorySegment> given, LoopObserver observer) {
        try {
            upload(given);
            loop(observer);
        } catch (RuntimeException | Error failure) {
            watchdog.drain(failure);
            throw failure;
        }
    }

    private void upload(Map<String, MemorySegment> given) {
        Arena arena = Arena.ofAuto();
        for (HostInput input : program.hostInputs()) {
            Slice to = resources.slice(input.to());
            resources.streamOf(to.buffer()).upload(input.bytes(given, arena), to);
        }
        watchdog.awaitAll("what the host uploads", 0);
        // Uploads read this memory on other threads; it must not be collected before they are done.
        Reference.reachabilityFence(arena);
        Reference.reachabilityFence(given);
    }

    private void loop(LoopObserver observer) {
        decider.begin();
        if (tracer != null) {
            tracer.start();
        }
        Queueing recorded = FlightRecorder.isInitialized() ? new Queueing() : null;
        queued = 0;
        int done = 0;
        for (int step = 0; step < stepEnds.length; step++) {
            if (observer.isCancelled()) {
                throw new CancellationException("cancelled before step " + (step + 1) + " of " + stepEnds.length);
            }
            waitedNanos = 0;
            if (recorded != null) {
                recorded.begin();
            }
            int first = queued;
            long start = System.nanoTime();
            for (; queued < stepEnds[step]; queued++) {
                commands[queued].run();
                look(program.instructions().get(queued));
            }
            queueNanos[step] = System.nanoTime() - start - waitedNanos;
            if (recorded != null) {
                recorded.tell(step + 1, queued - first);
            }
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
        watchdog.awaitAll("the last step", queued);
        finiteChecks.require();
        if (LOG.isDebugEnabled()) {
            outcomes().forEach((stage, all) -> LOG.debug("{} ran at {} of the {} steps at which that was decided: {}",
                stage, all.stream().filter(Decision.Outcome::runs).count(), all.size(), all));
        }
    }

    private void decide(Instruction.Decide decide, int before) {
        long start = System.nanoTime();
        watchdog.awaitDecision(decide, before);
        waitedNanos += System.nanoTime() - start;
        decider.decide(decide);
    }

    /** For JDK Flight Recorder. */
    @Name("dev.slipstream.Queue")
    @Label("Queueing")
    @Category("Slipstream")
    @Description("The host queued the work of a denoising step, ahead of the devices")
    private static final class Queueing extends Event {
        @Label("Step")
        @Description("1 for the first of the loop")
        private int step;

        @Label("Instructions")
        private int instructions;

        private void tell(int number, int count) {
            end();
            if (shouldCommit()) {
                step = number;
                instructions = count;
                commit();
            }
        }
    }

    /** Waits for a segment, where somebody looks at what it read or made. */
    private void look(Instruction instruction) {
        if (looking.isPresent() && instruction instanceof Instruction.Launch launch && decider.ran(launch)
            && launch.work() instanceof Work.Run<Region> run
            && run.tensors().keySet().stream().anyMatch(looking.get()::wants)) {
            resources.streams().get(launch.stream()).synchronize();
            try (Arena arena = Arena.ofShared()) {
                looking.get().ran(launch.step(), wanted(run.inputs(), arena), wanted(run.outputs(), arena));
            }
        }
    }

    private Map<String, MemorySegment> wanted(Map<String, Region> tensors, Arena arena) {
        Map<String, MemorySegment> wanted = new HashMap<>();
        tensors.forEach((name, region) -> {
            if (looking.orElseThrow().wants(name)) {
                MemorySegment bytes = arena.allocate(region.bytes(), 64);
                download(region, bytes);
                wanted.put(name, bytes);
            }
        });
        return wanted;
    }

    private void awaitStep(int step, LoopObserver observer) {
        watchdog.awaitStep(step, queued);
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
            watchdog.drain(failure);
            throw failure;
        }
    }

    /** How much of the program is launched as graphs: nothing on devices that cannot, or in a traced execution. */
    public CaptureStats captureStats() {
        return captureStats;
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

    /**
     * What the last run decided, by the stage that it was about: at which steps, by which number, and whether the stage
     * ran. Empty where a program has no decisions; steps at which nothing is decided, as at the beginning, are not in
     * it.
     */
    public Map<String, List<Decision.Outcome>> outcomes() {
        return decider.outcomes();
    }

    /** Whether the last run launched something that may be left out. */
    public boolean ran(Instruction.Launch launch) {
        return decider.ran(launch);
    }

    /**
     * Host time that the last run spent queueing a step, in nanoseconds; waits for the devices, as for what is decided
     * by, are not in it.
     */
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

    /** Reads, after a loop, what the program's checks for NaN and infinite values found. */
    private final class FiniteChecks {
        private record Place(int stream, int step, Work.FiniteCheck<Region> check) {
        }

        private final List<Place> places = new ArrayList<>();

        FiniteChecks() {
            for (Instruction instruction : program.instructions()) {
                if (instruction instanceof Instruction.Launch(int stream, int step,
                    Work.FiniteCheck<Region> check, var condition)) {
                    places.add(new Place(stream, step, check));
                }
            }
        }

        /** @throws BadValueException if one found something; labels count the checks, so the lowest was first */
        void require() {
            int lowest = places.stream().map(place -> place.check().mark()).distinct().mapToInt(this::read).min()
                .orElse(Integer.MAX_VALUE);
            if (lowest < Integer.MAX_VALUE) {
                throw bad(places.get(lowest));
            }
        }

        private int read(Region mark) {
            try (Arena arena = Arena.ofShared()) {
                MemorySegment label = arena.allocate(ValueLayout.JAVA_INT);
                Slice slice = resources.slice(mark);
                Stream stream = resources.streamOf(slice.buffer());
                stream.download(slice, label);
                stream.synchronize();
                return label.get(ValueLayout.JAVA_INT, 0);
            }
        }

        private BadValueException bad(Place place) {
            LoopNames names = watchdog.names();
            return new BadValueException(names.stage(place.check().stage()) + " on " + names.stream(place.stream())
                + " made NaN or infinite values in tensor '" + place.check().tensor() + "' at step "
                + (place.step() + 1) + " of " + program.steps() + ", the first of the loop; a wider element type tells "
                + "whether its range is to blame");
        }
    }
}
