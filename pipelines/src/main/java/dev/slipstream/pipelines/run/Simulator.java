package dev.slipstream.pipelines.run;

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

    /** @param nanos how long an instruction takes; records and waits take none */
    public static Timeline simulate(Program program, ToLongFunction<Instruction> nanos) {
        long[] clocks = new long[program.streams().size()];
        long[] events = new long[program.events()];
        List<Timeline.Span> spans = new ArrayList<>();
        for (Instruction instruction : program.instructions()) {
            int stream = instruction.stream();
            switch (instruction) {
                case Instruction.Record record -> events[record.event()] = clocks[stream];
                case Instruction.Wait wait -> clocks[stream] = Math.max(clocks[stream], events[wait.event()]);
                case Instruction.Run run -> {
                    long cost = nanos.applyAsLong(run);
                    spans.add(new Timeline.Span(stream, run.step(), run.stage(), clocks[stream],
                        clocks[stream] + cost, cost));
                    clocks[stream] += cost;
                }
                case Instruction.Copy copy -> clocks[stream] += nanos.applyAsLong(copy);
                case Instruction.Guard guard -> clocks[stream] += nanos.applyAsLong(guard);
                case Instruction.Rescale rescale -> clocks[stream] += nanos.applyAsLong(rescale);
                case Instruction.Limiting limit -> clocks[stream] += nanos.applyAsLong(limit);
                case Instruction.Combine combine -> clocks[stream] += nanos.applyAsLong(combine);
            }
        }
        return new Timeline(spans);
    }
}
