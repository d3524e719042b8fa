package dev.slipstream.pipelines.run;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.Stream;
import java.util.ArrayList;
import java.util.List;

/** Times each stage with a pair of events around it. */
final class Tracer {
    private record Probe(Instruction.Run run, Event before, Event after) {
    }

    private final Resources resources;
    private final Event origin;
    private final List<Probe> probes = new ArrayList<>();

    Tracer(Resources resources, Device first) {
        this.resources = resources;
        this.origin = resources.own(first.newTimedEvent());
    }

    void start(Stream stream) {
        stream.record(origin);
    }

    Runnable around(Instruction.Run run, Stream stream, Runnable launch) {
        Probe probe = new Probe(run, resources.own(stream.device().newTimedEvent()),
            resources.own(stream.device().newTimedEvent()));
        probes.add(probe);
        return () -> {
            stream.record(probe.before());
            launch.run();
            stream.record(probe.after());
        };
    }

    Timeline timeline() {
        return new Timeline(probes.stream().map(probe -> new Timeline.Span(probe.run().stream(), probe.run().step(),
            probe.run().stage(), probe.before().nanos() - origin.nanos(), probe.after().nanos() - origin.nanos(),
            probe.after().busyNanos() - probe.before().busyNanos())).toList());
    }
}
