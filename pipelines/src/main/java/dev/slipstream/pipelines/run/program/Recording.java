package dev.slipstream.pipelines.run.program;

import dev.slipstream.pipelines.run.timeline.Timeline.Activity;
import dev.slipstream.pipelines.run.timeline.Timeline.Flow;
import dev.slipstream.pipelines.run.timeline.Timeline.Lane;
import dev.slipstream.pipelines.run.timeline.Timeline.Span;
import dev.slipstream.pipelines.run.timeline.Timeline;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/** Gathers when the instructions of a program ran. One thread. */
public final class Recording {
    private final Program program;
    private final List<Lane> lanes;
    private final List<String> stages;
    /** By instruction; none of what did not run. */
    private final Span[] spans;

    /**
     * @param devices what people call them, by their number in the program
     * @param stages what people call stages, by their number
     */
    public Recording(Program program, List<String> devices, List<String> stages) {
        this.program = program;
        this.lanes = program.streams().stream()
            .map(stream -> new Lane(stream.device(), devices.get(stream.device()), stream.copies())).toList();
        this.stages = stages;
        this.spans = new Span[program.instructions().size()];
    }

    /**
     * A launch, or a wait, took this time.
     *
     * @param instruction its number in the program
     * @param busyNanos processing time; not asked of waits
     */
    public void add(int instruction, long startNanos, long endNanos, long busyNanos) {
        Instruction it = program.instructions().get(instruction);
        Activity activity = activity(it);
        spans[instruction] = new Span(instruction, it.stream(), it.step(), activity, startNanos, endNanos,
            activity instanceof Activity.Wait ? 0 : busyNanos);
    }

    private Activity activity(Instruction instruction) {
        if (!(instruction instanceof Instruction.Launch launch)) {
            return new Activity.Wait();
        }
        return switch (launch.work()) {
            case Work.Run<Region> run -> new Activity.Stage(run.stage());
            case Work.Copy<Region>(Region from, Region to) ->
                new Activity.Copy(program.device(from), program.device(to), from.bytes());
            case Work.FiniteCheck<Region> check -> new Activity.Arithmetic("a check");
            case Work<Region> work -> new Activity.Arithmetic(work.describe(List.of()));
        };
    }

    /** All of it. @param endNanos when all was done; the end of the last span, if that is later */
    public Timeline timeline(long endNanos) {
        List<Span> ran = Arrays.stream(spans).filter(Objects::nonNull).toList();
        long end = ran.stream().mapToLong(Span::endNanos).reduce(endNanos, Math::max);
        return new Timeline(lanes, stages, end, ran, flows());
    }

    /** Who writes what a launch of another lane reads, but for what was left out; of several reads the first. */
    private List<Flow> flows() {
        // With the lanes that have read what the launch wrote.
        record Written(Region region, int instruction, BitSet readers) {
        }

        List<List<Written>> writers = Stream.generate(() -> (List<Written>) new ArrayList<Written>())
            .limit(program.buffers().size()).toList();
        List<Flow> flows = new ArrayList<>();
        for (int index = 0; index < program.instructions().size(); index++) {
            if (!(program.instructions().get(index) instanceof Instruction.Launch launch)
                || launch.condition().isPresent() && spans[index] == null) {
                continue;
            }
            for (Region read : launch.work().reads()) {
                for (Written written : writers.get(read.buffer())) {
                    int lane = program.instructions().get(written.instruction()).stream();
                    if (lane != launch.stream() && written.region().overlaps(read)
                        && isNew(written.readers(), launch.stream())) {
                        flows.add(new Flow(written.instruction(), index));
                    }
                }
            }
            BitSet readers = new BitSet();
            for (Region write : launch.work().writes()) {
                List<Written> there = writers.get(write.buffer());
                there.removeIf(written -> write.contains(written.region()));
                there.add(new Written(write, index, readers));
            }
        }
        return flows;
    }

    private static boolean isNew(BitSet lanes, int lane) {
        boolean before = lanes.get(lane);
        lanes.set(lane);
        return !before;
    }
}
