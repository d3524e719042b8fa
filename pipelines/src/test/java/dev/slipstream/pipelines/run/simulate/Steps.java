package dev.slipstream.pipelines.run.simulate;

import dev.slipstream.pipelines.plan.Rounds.Rule;
import dev.slipstream.pipelines.run.program.Decision.Condition;
import dev.slipstream.pipelines.run.program.Decision;
import dev.slipstream.pipelines.run.program.Instruction;
import dev.slipstream.pipelines.run.program.Program.BufferSpec;
import dev.slipstream.pipelines.run.program.Program.StreamSpec;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Region;
import dev.slipstream.pipelines.run.program.Work;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Programs written by hand. Each device computes on the stream of its number, copies on one behind these, and has one
 * buffer of 1000 bytes.
 */
final class Steps {
    private static final long BYTES = 1000;

    private final int devices;
    private final List<Instruction> instructions = new ArrayList<>();
    private final List<Integer> stepEvents = new ArrayList<>();
    private int events;

    Steps(int devices) {
        this.devices = devices;
    }

    private int step() {
        return stepEvents.size();
    }

    /** A device runs a stage. */
    Steps run(int device, int stage) {
        return launch(device, new Work.Run<>(stage, Map.of(), Map.of("o", on(device, BYTES))));
    }

    /** A device sends bytes, on its stream for copies. */
    Steps copy(int from, int to, long bytes) {
        return launch(devices + from, new Work.Copy<>(on(from, bytes), on(to, bytes)));
    }

    Steps launch(int stream, Work<Region> work) {
        instructions.add(new Instruction.Launch(stream, step(), work));
        return this;
    }

    /** The host waits for all that is queued on a stream so far, and decides. */
    Steps decide(int stream) {
        instructions.add(new Instruction.Record(stream, step(), events));
        instructions.add(new Instruction.Decide(stream, step(), 0, events++, List.of(0)));
        return this;
    }

    /** A device runs a stage if the decision has this outcome. */
    Steps run(int device, int stage, boolean outcome) {
        instructions.add(new Instruction.Launch(device, step(), new Work.Run<>(stage, Map.of(),
            Map.of("o", on(device, BYTES))), Optional.of(new Condition(0, outcome))));
        return this;
    }

    static Region on(int device, long bytes) {
        return new Region(device, 0, bytes);
    }

    /** A stream waits for all that is queued on another so far. */
    Steps then(int stream, int waiting) {
        instructions.add(new Instruction.Record(stream, step(), events));
        instructions.add(new Instruction.Wait(waiting, step(), events++));
        return this;
    }

    /** The step ends with what is queued on a stream so far. */
    Steps end(int stream) {
        instructions.add(new Instruction.Record(stream, step(), events));
        stepEvents.add(events++);
        return this;
    }

    Program program() {
        List<StreamSpec> streams = IntStream.range(0, 2 * devices)
            .mapToObj(stream -> new StreamSpec(stream % devices, stream >= devices)).toList();
        List<BufferSpec> buffers =
            IntStream.range(0, devices).mapToObj(device -> new BufferSpec(device, BYTES)).toList();
        return new Program(streams, buffers, List.of(), instructions, events, stepEvents,
            stepEvents.stream().map(event -> on(0, BYTES)).toList(), Map.of(),
            List.of(new Decision("a stage", new Rule.Above(0))));
    }
}
