package dev.slipstream.pipelines.run.unroll;

import dev.slipstream.pipelines.run.program.Decision.Condition;
import dev.slipstream.pipelines.run.program.HostInput;
import dev.slipstream.pipelines.run.program.Instruction;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Region;
import dev.slipstream.pipelines.run.program.Work;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Finds work of a program that no order holds apart: two accesses to the same bytes, one of which writes. It knows
 * what a device knows, the order within each stream and between a record and its waits, and keeps a vector clock of it;
 * how the program came about it does not know. Of what is decided, both bodies count as launched, but not at the same
 * step.
 */
public final class Races {
    /** @param number of it among those of its stream, from 1 */
    private record Access(int stream, int number, int step, Optional<Condition> condition, Region region,
        boolean writes, String what) {
        boolean conflictsWith(Access other) {
            return (writes || other.writes) && !excludes(other)
                && region.offset() < other.region.offset() + other.region.bytes()
                && other.region.offset() < region.offset() + region.bytes();
        }

        /** Whether one is launched where the other is not. */
        private boolean excludes(Access other) {
            return step == other.step && condition.isPresent() && other.condition.isPresent()
                && condition.get().decision() == other.condition.get().decision()
                && condition.get().outcome() != other.condition.get().outcome();
        }
    }

    private final Program program;
    private final int[][] clocks;
    private final Map<Integer, int[]> recorded = new HashMap<>();
    private final Map<Integer, List<Access>> accesses = new HashMap<>();
    private final List<String> found = new ArrayList<>();

    private Races(Program program) {
        this.program = program;
        this.clocks = new int[program.streams().size()][program.streams().size()];
    }

    /** One sentence for each; none where the program is sound. */
    public static List<String> in(Program program) {
        Races races = new Races(program);
        program.instructions().forEach(races::take);
        races.readByHost();
        return races.found;
    }

    private void take(Instruction instruction) {
        int[] clock = clocks[instruction.stream()];
        switch (instruction) {
            case Instruction.Record record -> {
                if (recorded.put(record.event(), clock.clone()) != null) {
                    found.add("event " + record.event() + " is recorded twice");
                }
            }
            case Instruction.Decide decide -> {
                // That the host waits here orders nothing that streams do not order themselves.
                if (!recorded.containsKey(decide.event())) {
                    found.add("the host decides behind event " + decide.event() + ", which is not recorded before");
                }
            }
            case Instruction.Wait wait -> {
                int[] then = recorded.get(wait.event());
                if (then == null) {
                    found.add("event " + wait.event() + " is waited for before it is recorded");
                    return;
                }
                for (int stream = 0; stream < clock.length; stream++) {
                    clock[stream] = Math.max(clock[stream], then[stream]);
                }
            }
            case Instruction.Launch launch -> {
                int number = ++clock[launch.stream()];
                Work<Region> work = launch.work();
                work.reads().forEach(region -> access(launch, number, region, isMark(work, region)));
                work.writes().forEach(region -> access(launch, number, region, true));
            }
        }
    }

    /** A device keeps the lowest label in it, so it is written, too. */
    private static boolean isMark(Work<Region> work, Region region) {
        return work instanceof Work.FiniteCheck<Region> check && check.mark().equals(region);
    }

    private void access(Instruction.Launch launch, int number, Region region, boolean writes) {
        Access access = new Access(launch.stream(), number, launch.step(), launch.condition(), region, writes,
            (writes ? "writes " : "reads ") + region + " in " + launch);
        List<Access> earlier = accesses.computeIfAbsent(region.buffer(), key -> new ArrayList<>());
        earlier.stream().filter(access::conflictsWith)
            .filter(other -> other.number() > clocks[launch.stream()][other.stream()]
                && other.stream() != launch.stream())
            .forEach(other -> found.add(other.what() + ", and nothing orders what " + access.what()));
        earlier.add(access);
    }

    /** When the event of a step comes, its latents and its estimate are there; the last latents and estimates stay. */
    private void readByHost() {
        for (int step = 0; step < program.steps(); step++) {
            int[] then = recorded.get(program.stepEvents().get(step));
            Region latents = program.latents().get(step);
            isThere(latents, then, "the latents of step " + step, step == program.steps() - 1);
            if (program.estimates().containsKey(step)) {
                isThere(program.estimates().get(step), then, "the estimate of step " + step, true);
            }
        }
        program.hostInputs().stream().filter(HostInput.Given.class::isInstance).map(HostInput::to)
            .filter(region -> accesses.getOrDefault(region.buffer(), List.of()).stream()
                .anyMatch(new Access(0, 0, 0, Optional.empty(), region, false, "")::conflictsWith))
            .forEach(region -> found.add("what the host gave in " + region + " is overwritten"));
    }

    private void isThere(Region region, int[] then, String what, boolean forGood) {
        List<Access> writes = accesses.getOrDefault(region.buffer(), List.of()).stream().filter(Access::writes)
            .toList();
        boolean made = writes.stream().anyMatch(write -> write.number() <= then[write.stream()]);
        if (!made || forGood && writes.stream().anyMatch(write -> write.number() > then[write.stream()])) {
            found.add(what + " in " + region + " are not made before its event, or not left alone after it");
        }
    }
}
