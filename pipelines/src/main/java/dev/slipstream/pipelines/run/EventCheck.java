package dev.slipstream.pipelines.run;

import java.util.HashSet;
import java.util.Set;

/**
 * Whether every wait of a program comes after the record that it is for. To a device an event that nobody recorded
 * counts as passed, so otherwise a stream would compute with whatever lies there.
 */
final class EventCheck {
    private EventCheck() {
    }

    /** @throws IllegalArgumentException naming the first wait that comes too early */
    static void check(Program program) {
        Set<Integer> recorded = new HashSet<>();
        for (Instruction instruction : program.instructions()) {
            if (instruction instanceof Instruction.Record record) {
                recorded.add(record.event());
            }
            if (instruction instanceof Instruction.Wait wait && !recorded.contains(wait.event())) {
                throw new IllegalArgumentException("the program cannot run: stream " + wait.stream() + " waits in step "
                    + (wait.step() + 1) + " for event " + wait.event() + ", which nobody records before");
            }
        }
        for (int step = 0; step < program.steps(); step++) {
            if (!recorded.contains(program.stepEvents().get(step))) {
                throw new IllegalArgumentException("the program cannot run: the event of step " + (step + 1)
                    + " is event " + program.stepEvents().get(step) + ", which nobody records");
            }
        }
    }
}
