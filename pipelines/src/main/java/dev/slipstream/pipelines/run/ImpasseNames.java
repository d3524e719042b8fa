package dev.slipstream.pipelines.run;

import java.util.List;
import java.util.stream.Collectors;

/**
 * What people call streams and stages.
 *
 * @param streams by stream
 * @param stages by stage: the names of their segments
 */
record ImpasseNames(List<String> streams, List<String> stages) {
    ImpasseNames {
        streams = List.copyOf(streams);
        stages = List.copyOf(stages);
    }

    String stream(int index) {
        return streams.get(index);
    }

    String stage(int index) {
        return stages.get(index);
    }

    /** Stages, if there are any: next to them the rest takes no time. */
    String works(List<Instruction> works) {
        List<Instruction> runs = works.stream().filter(Instruction.Run.class::isInstance).toList();
        return (runs.isEmpty() ? works : runs).stream().map(this::work).distinct().collect(Collectors.joining(" or "));
    }

    private String work(Instruction work) {
        return switch (work) {
            case Instruction.Run run -> stage(run.stage());
            case Instruction.Guard guard -> "a guard of " + stage(guard.stage());
            case Instruction.Copy copy -> "a copy";
            case Instruction.Combine combine -> "a combination";
            case Instruction.Rescale rescale -> "rescaling guidance";
            case Instruction.Limiting limit -> "limiting the clean latents";
            case Instruction.Record record -> "a record";
            case Instruction.Wait wait -> "a wait";
        };
    }
}
