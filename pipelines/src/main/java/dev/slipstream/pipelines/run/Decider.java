package dev.slipstream.pipelines.run;

import dev.slipstream.bridge.Device;
import dev.slipstream.pipelines.run.program.Decision.Condition;
import dev.slipstream.pipelines.run.program.Decision.Outcome;
import dev.slipstream.pipelines.run.program.Decision;
import dev.slipstream.pipelines.run.program.Instruction;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Region;
import dev.slipstream.pipelines.run.program.Work;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Makes the decisions of a run, on the host, by numbers that devices report; and remembers them. Deciding allocates
 * nothing. One thread at a time.
 */
final class Decider {
    private final Program program;
    private final Map<Integer, MemorySegment> scalars = new HashMap<>();
    private final Map<Integer, Instruction.Launch> reports = new HashMap<>();
    /** By decision, in the order in which they are made. */
    private final float[][] measures;
    private final int[] measured;
    /** By decision and step: how many there were. */
    private final int[][] known;
    private final boolean[][] outcomes;
    private final boolean[][] isDecided;

    /** @param resources get the memory of the host that devices report to */
    Decider(Program program, Resources resources) {
        this.program = program;
        int decisions = program.decisions().size();
        this.measures = new float[decisions][program.steps()];
        this.measured = new int[decisions];
        this.known = new int[decisions][program.steps()];
        this.outcomes = new boolean[decisions][program.steps()];
        this.isDecided = new boolean[decisions][program.steps()];
        program.instructions().forEach(instruction -> {
            if (instruction instanceof Instruction.Launch launch && launch.work() instanceof Work.Report<?> report) {
                reports.put(report.scalar(), launch);
            }
        });
        Map<Device, List<Work.Report<Region>>> reported = program.works()
            .filter(Work.Report.class::isInstance).map(work -> (Work.Report<Region>) work)
            .collect(Collectors.groupingBy(report -> resources.slice(report.from()).buffer().device(),
                LinkedHashMap::new, Collectors.toList()));
        reported.forEach((device, here) -> {
            MemorySegment memory = resources.own(device.allocateHost((long) here.size() * Float.BYTES)).bytes();
            for (int i = 0; i < here.size(); i++) {
                scalars.put(here.get(i).scalar(), memory.asSlice((long) i * Float.BYTES, Float.BYTES));
            }
        });
    }

    /** Where a report goes. */
    MemorySegment scalar(int number) {
        return scalars.get(number);
    }

    /** Forgets what was decided in the run before. */
    void begin() {
        Arrays.fill(measured, 0);
        for (boolean[] steps : isDecided) {
            Arrays.fill(steps, false);
        }
    }

    /** Makes a decision, by numbers that are there but for those that were left out. */
    void decide(Instruction.Decide decide) {
        int decision = decide.decision();
        int step = decide.step();
        float[] all = measures[decision];
        for (int i = 0; i < decide.scalars().size(); i++) {
            Integer scalar = decide.scalars().get(i);
            all[measured[decision]++] = ran(reports.get(scalar))
                ? scalars.get(scalar).get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0) : Float.NaN;
        }
        known[decision][step] = measured[decision];
        outcomes[decision][step] = program.decisions().get(decision).rule().decide(all, measured[decision], step);
        isDecided[decision][step] = true;
    }

    /** Whether what is launched on condition is, in this run: as far as is decided. */
    boolean runs(Condition condition, int step) {
        return outcomes[condition.decision()][step] == condition.outcome();
    }

    /** Whether something was launched in the last run, if that came so far. */
    boolean ran(Instruction.Launch launch) {
        Optional<Condition> condition = launch.condition();
        return condition.isEmpty() || isDecided[condition.get().decision()][launch.step()]
            && runs(condition.get(), launch.step());
    }

    /** What was decided in the last run, by the stage that it was about. */
    Map<String, List<Outcome>> outcomes() {
        Map<String, List<Outcome>> all = new LinkedHashMap<>();
        for (int index = 0; index < outcomes.length; index++) {
            int decision = index;
            Decision it = program.decisions().get(index);
            int[] steps = IntStream.range(0, program.steps()).filter(step -> isDecided[decision][step]).toArray();
            all.put(it.stage(), Arrays.stream(steps).mapToObj(step -> new Outcome(step,
                measures[decision][known[decision][step] - 1], outcomes[decision][step])).toList());
        }
        return all;
    }
}
