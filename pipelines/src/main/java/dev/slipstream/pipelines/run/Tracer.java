package dev.slipstream.pipelines.run;

import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.Stream;
import dev.slipstream.pipelines.run.program.Instruction;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Recording;
import dev.slipstream.pipelines.run.timeline.Timeline;
import java.util.ArrayList;
import java.util.List;

/** Times everything that is launched or waited for, with a pair of events around it. */
final class Tracer {
    private record Probe(int instruction, Event before, Event after) {
        void addTo(Recording recording, Event origin) {
            recording.add(instruction, before.nanos() - origin.nanos(), after.nanos() - origin.nanos(),
                after.busyNanos() - before.busyNanos());
        }
    }

    private final Program program;
    private final Resources resources;
    private final List<StageEngine> engines;
    private final Decider decider;
    private final Event origin;
    private final List<Probe> probes = new ArrayList<>();

    Tracer(Program program, Resources resources, List<StageEngine> engines, Decider decider) {
        this.program = program;
        this.resources = resources;
        this.engines = engines;
        this.decider = decider;
        this.origin = resources.own(resources.streams().getFirst().device().newTimedEvent());
    }

    /** The loop starts now. Streams are empty; none of them may be faster than the one that says when that is. */
    void start() {
        Stream first = resources.streams().getFirst();
        first.record(origin);
        first.synchronize();
    }

    /** @param instruction its number in the program */
    Runnable around(Stream stream, int instruction, Runnable call) {
        Probe probe = new Probe(instruction, resources.own(stream.device().newTimedEvent()),
            resources.own(stream.device().newTimedEvent()));
        probes.add(probe);
        return () -> {
            stream.record(probe.before());
            call.run();
            stream.record(probe.after());
        };
    }

    /** Of the last run, which is over: of what was launched in it. */
    Timeline timeline() {
        Recording recording = new Recording(program, resources.deviceNames(),
            engines.stream().map(stage -> stage.engine().name()).toList());
        probes.stream().filter(this::ran).forEach(probe -> probe.addTo(recording, origin));
        return recording.timeline(0);
    }

    private boolean ran(Probe probe) {
        return !(program.instructions().get(probe.instruction()) instanceof Instruction.Launch launch)
            || decider.ran(launch);
    }
}
