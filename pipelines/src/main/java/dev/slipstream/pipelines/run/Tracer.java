package dev.slipstream.pipelines.run;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.Stream;
import dev.slipstream.pipelines.run.program.Instruction;
import dev.slipstream.pipelines.run.program.Timeline;
import java.util.ArrayList;
import java.util.List;

/** Times each stage with a pair of events around it. */
final class Tracer {
    private record Probe(Instruction.Launch launch, int stage, Event before, Event after) {
        Timeline.Span span(Event origin) {
            return new Timeline.Span(launch.stream(), launch.step(), stage, before.nanos() - origin.nanos(),
                after.nanos() - origin.nanos(), after.busyNanos() - before.busyNanos());
        }
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

    Runnable around(Stream stream, Instruction.Launch launch, int stage, Runnable call) {
        Probe probe = new Probe(launch, stage, resources.own(stream.device().newTimedEvent()),
            resources.own(stream.device().newTimedEvent()));
        probes.add(probe);
        return () -> {
            stream.record(probe.before());
            call.run();
            stream.record(probe.after());
        };
    }

    Timeline timeline() {
        return new Timeline(probes.stream().map(probe -> probe.span(origin)).toList());
    }
}
