package dev.slipstream.pipelines.run;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.Stream;
import dev.slipstream.pipelines.run.program.Instruction;
import dev.slipstream.pipelines.run.program.Program;
import java.time.Duration;
import java.util.List;

/**
 * Waits for an execution's streams, but not for ever: a device that does not move within the patience is given up. One
 * thread at a time.
 */
final class Watchdog {
    private final Program program;
    private final Resources resources;
    private final Decider decider;
    private final LoopNames names;
    private final Duration patience;
    private final Event[] ends;

    /** @param stages names of the segments that stages run */
    Watchdog(Program program, Resources resources, Decider decider, List<String> stages, Duration patience) {
        this.program = program;
        this.resources = resources;
        this.decider = decider;
        this.names = new LoopNames(program.streams().stream().map(spec -> resources.device(spec.device()).name()
            + (spec.copies() ? " (copies)" : "")).toList(), stages);
        this.patience = patience;
        this.ends = resources.streams().stream().map(stream -> resources.own(stream.device().newEvent()))
            .toArray(Event[]::new);
    }

    LoopNames names() {
        return names;
    }

    /**
     * Waits for the end of a step.
     *
     * @param queued how many instructions of the program are queued in this run
     * @throws LoopStuckException if it does not come
     */
    void awaitStep(int step, int queued) {
        Event event = resources.events()[program.stepEvents().get(step)];
        if (!event.await(patience)) {
            throw stuck("step " + (step + 1) + " of " + program.steps(), queued);
        }
    }

    /**
     * Waits for what is decided by.
     *
     * @param queued how many instructions of the program are queued in this run
     * @throws LoopStuckException if it does not come
     */
    void awaitDecision(Instruction.Decide decide, int queued) {
        if (!resources.events()[decide.event()].await(patience)) {
            throw stuck("what is decided by at step " + (decide.step() + 1) + " of " + program.steps(), queued);
        }
    }

    /**
     * Waits until all streams are done with what is queued, and throws the first failure.
     *
     * @param what is waited for, for the message
     * @throws LoopStuckException if they do not end
     */
    void awaitAll(String what, int queued) {
        List<Stream> streams = resources.streams();
        for (int index = 0; index < ends.length; index++) {
            streams.get(index).record(ends[index]);
            if (!ends[index].await(patience)) {
                throw stuck(what, queued);
            }
        }
        resources.synchronize();
    }

    private LoopStuckException stuck(String what, int queued) {
        String late = what + " was not done within " + seconds();
        StallReport report = StallReport.of(program, queued, decider::ran,
            event -> hasPassed(resources.events()[event]), stream -> !hasPassed(ends[stream]));
        List<Device> culprits = report.culprits().stream().map(index -> program.streams().get(index).device())
            .distinct().map(resources::device).toList();
        culprits.forEach(device -> device.giveUp(late));
        return new LoopStuckException(late, report, names, culprits.stream().map(Device::name).toList());
    }

    private String seconds() {
        return patience.toMillis() % 1000 == 0 ? patience.toSeconds() + " s" : patience.toMillis() + " ms";
    }

    /** Also where the work before it failed. */
    private static boolean hasPassed(Event event) {
        try {
            return event.isDone();
        } catch (RuntimeException failed) {
            return true;
        }
    }

    /**
     * After a failure: lets all streams finish or skip what is queued and clears their failures, so that they can be
     * used again. A device whose stream does not end is given up.
     */
    void drain(Throwable cause) {
        for (int index = 0; index < ends.length; index++) {
            Stream stream = resources.streams().get(index);
            try {
                stream.record(ends[index]);
                if (!ends[index].await(patience)) {
                    stream.device().giveUp("after a failure its work did not end within " + seconds());
                }
            } catch (RuntimeException failed) {
                addTo(cause, failed);
            }
            settle(stream, cause);
        }
    }

    /** Waits until a stream is empty, and clears its failure, which is added to the cause. */
    static void settle(Stream stream, Throwable cause) {
        try {
            stream.synchronize();
        } catch (RuntimeException second) {
            addTo(cause, second);
        }
    }

    private static void addTo(Throwable cause, Throwable second) {
        if (second != cause) {
            cause.addSuppressed(second);
        }
    }
}
