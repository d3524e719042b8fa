package dev.slipstream.pipelines.run;

import dev.slipstream.pipelines.run.program.Instruction;
import dev.slipstream.pipelines.run.program.Work;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What people call streams and stages.
 *
 * @param streams by stream
 * @param stages by stage: the names of their segments
 */
record LoopNames(List<String> streams, List<String> stages) {
    LoopNames {
        streams = List.copyOf(streams);
        stages = List.copyOf(stages);
    }

    String stream(int index) {
        return streams.get(index);
    }

    String stage(int index) {
        return stages.get(index);
    }

    /** What these do. Stages, if there are any: next to them the rest takes no time. */
    String works(List<Instruction> instructions) {
        List<Instruction> runs = instructions.stream()
            .filter(it -> it instanceof Instruction.Launch launch && launch.work() instanceof Work.Run).toList();
        return (runs.isEmpty() ? instructions : runs).stream()
            .map(it -> it instanceof Instruction.Launch launch ? launch.work().describe(stages) : "a record")
            .distinct().collect(Collectors.joining(" or "));
    }
}
