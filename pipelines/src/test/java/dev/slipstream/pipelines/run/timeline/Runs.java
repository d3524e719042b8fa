package dev.slipstream.pipelines.run.timeline;

import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.SegmentOutline;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Work;
import dev.slipstream.pipelines.run.simulate.Interconnect;
import dev.slipstream.pipelines.run.simulate.Machine;
import dev.slipstream.pipelines.run.simulate.Simulator;
import dev.slipstream.pipelines.run.unroll.Loops;
import dev.slipstream.pipelines.run.unroll.Unroller;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Simulated runs to look at: three components of 10, 12 and 9 ms, a millisecond for what goes to another device. */
final class Runs {
    private static final List<String> NAMES = List.of("A", "B", "C");
    private static final List<Long> NANOS = List.of(10_000_000L, 12_000_000L, 9_000_000L);
    private static final double BYTES_PER_SECOND = 1e6;
    private static final long LATENCY = 100_000;
    private static final long SMALL = 200_000;
    private static final long QUEUEING = 10_000;

    private Runs() {
    }

    private static List<SegmentOutline> segments() {
        return Loops.chain(NAMES.size()).stream().map(it -> new SegmentOutline(NAMES.get(it.component()),
            it.component(), it.reads(), it.writes())).toList();
    }

    static Timeline of(String strategy, int devices, int steps, boolean copyStreams) {
        Plan plan = Strategy.parse(strategy).plan(segments(), "eps", devices, false);
        Program program = Unroller.unroll(plan, Loops.loop(plan.segments(), steps), copyStreams);
        Machine machine = new Machine(
            IntStream.range(0, devices).mapToObj(device -> new Machine.Device("cuda:" + device, 0)).toList(),
            (device, work) ->
                work instanceof Work.Run<?> run ? NANOS.get(plan.segment(run.stage()).component()) : SMALL,
            new Interconnect.Star(BYTES_PER_SECOND, LATENCY), Machine.Host.of(QUEUEING));
        return Simulator.simulate(program, machine).timeline()
            .named(plan.stages().stream().map(stage -> NAMES.get(stage.segment())).toList());
    }

    /** The picture of docs/observe.md. */
    static Map<String, Timeline> documented() {
        Map<String, Timeline> runs = new LinkedHashMap<>();
        runs.put("sequential", of("sequential", 1, 8, true));
        runs.put("asyncdiff:n=3,warmup=2", of("asyncdiff:n=3,warmup=2", 3, 8, true));
        return runs;
    }
}
