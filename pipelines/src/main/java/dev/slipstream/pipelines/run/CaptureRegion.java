package dev.slipstream.pipelines.run;

import dev.slipstream.pipelines.run.program.Instruction;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Region;
import dev.slipstream.pipelines.run.program.Work;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What is captured as one graph: a longest sequence of recurring work of one stream in one step, all of it on the same
 * condition. Work recurs if an equal one occurs in at least three steps. Waits, records and decisions stay outside, as
 * their events differ from step to step, and so does what devices cannot capture. No region reaches across a decision:
 * what comes behind it is queued when it is made.
 *
 * @param instructions indexes of the region's instructions in the program
 */
record CaptureRegion(int stream, int step, List<Integer> instructions) {
    /** Fewer are not worth it: the first time a region is queued as it is, the second time it is captured. */
    private static final int STEPS = 3;

    /** What a region does. Regions that do the same share a graph. */
    record Content(int stream, List<Work<Region>> works) {
    }

    Content content(Program program) {
        return new Content(stream, instructions.stream()
            .map(index -> ((Instruction.Launch) program.instructions().get(index)).work()).toList());
    }

    /**
     * The regions that are worth a graph, in the order in which they begin.
     *
     * @param capturable whether the device of an instruction's stream can capture it
     */
    static List<CaptureRegion> find(Program program, Predicate<Instruction.Launch> capturable) {
        Map<Work<Region>, Set<Integer>> steps = steps(program);
        List<CaptureRegion> regions = new ArrayList<>();
        Map<Integer, CaptureRegion> open = new HashMap<>();
        for (int index = 0; index < program.instructions().size(); index++) {
            Instruction instruction = program.instructions().get(index);
            int stream = instruction.stream();
            if (instruction instanceof Instruction.Decide) {
                open.clear();
                continue;
            }
            if (!(instruction instanceof Instruction.Launch launch && capturable.test(launch)
                && steps.get(launch.work()).size() >= STEPS)) {
                open.remove(stream);
                continue;
            }
            if (!open.containsKey(stream) || !open.get(stream).takes(launch, program)) {
                open.put(stream, new CaptureRegion(stream, instruction.step(), new ArrayList<>()));
                regions.add(open.get(stream));
            }
            open.get(stream).instructions().add(index);
        }
        regions.removeIf(region -> !region.isWorthIt(program));
        return regions;
    }

    private boolean takes(Instruction.Launch launch, Program program) {
        Instruction.Launch first = (Instruction.Launch) program.instructions().get(instructions.getFirst());
        return first.step() == launch.step() && first.condition().equals(launch.condition());
    }

    private static Map<Work<Region>, Set<Integer>> steps(Program program) {
        Map<Work<Region>, Set<Integer>> steps = new HashMap<>();
        for (Instruction instruction : program.instructions()) {
            if (instruction instanceof Instruction.Launch launch) {
                steps.computeIfAbsent(launch.work(), key -> new HashSet<>()).add(launch.step());
            }
        }
        return steps;
    }

    /** One kernel costs as much to queue as one graph; an engine is many kernels. */
    private boolean isWorthIt(Program program) {
        return instructions.size() > 1 || content(program).works().getFirst() instanceof Work.Run;
    }

    /** What these regions save. */
    static CaptureStats stats(Program program, List<CaptureRegion> regions) {
        int captured = regions.stream().mapToInt(region -> region.instructions().size()).sum();
        int graphs = (int) regions.stream().map(region -> region.content(program)).distinct().count();
        int all = program.instructions().size();
        return new CaptureStats(program.steps(), all, captured, graphs, all - captured + regions.size());
    }
}
