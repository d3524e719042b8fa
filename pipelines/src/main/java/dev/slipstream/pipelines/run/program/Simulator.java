package dev.slipstream.pipelines.run.program;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * Runs a program in virtual time: every stream of its own, as if each device were free of other load. With measured
 * costs this is the critical path of a run; with estimated ones a forecast.
 */
public final class Simulator {
    private Simulator() {
    }

    /** @param nanos how long a work takes; records and waits take no time */
    public static Timeline simulate(Program program, ToLongFunction<Work<Region>> nanos) {
        long[] clocks = new long[program.streams().size()];
        long[] events = new long[program.events()];
        List<Timeline.Span> spans = new ArrayList<>();
        for (Instruction instruction : program.instructions()) {
            int stream = instruction.stream();
            switch (instruction) {
                case Instruction.Record record -> events[record.event()] = clocks[stream];
                case Instruction.Wait wait -> clocks[stream] = Math.max(clocks[stream], events[wait.event()]);
                case Instruction.Launch launch -> {
                    long start = clocks[stream];
                    long cost = nanos.applyAsLong(launch.work());
                    clocks[stream] = start + cost;
                    if (launch.work() instanceof Work.Run<Region> run) {
                        spans.add(new Timeline.Span(stream, launch.step(), run.stage(), start, start + cost, cost));
                    }
                }
            }
        }
        return new Timeline(spans);
    }
}
