package dev.slipstream.pipelines.diffusion.denoise;

import dev.slipstream.pipelines.cost.DeviceTimes;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import dev.slipstream.pipelines.run.program.Region;
import dev.slipstream.pipelines.run.program.Work;
import dev.slipstream.pipelines.run.simulate.Machine;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** How long the stages of a denoiser, and what is between them, take on devices that need not be there. Any thread. */
public final class StageCosts implements Machine.Costs {
    /** Runs of engines that were asked for once, which several plans may share. */
    public static final class Runs {
        private final Map<Run, Double> nanos = new ConcurrentHashMap<>();

        private record Run(DeviceTimes times, Graph graph) {
        }

        private double nanos(DeviceTimes times, PartitionedDenoiser denoiser, int stage) {
            return nanos.computeIfAbsent(new Run(times, denoiser.segment(stage).graph()), run ->
                times.runNanos(ValueInfos.withTypes(run.graph, denoiser.types(stage))));
        }
    }

    private final PartitionedDenoiser denoiser;
    private final List<? extends DeviceTimes> times;
    private final Runs runs;

    /** @param times one a device of the plan */
    public StageCosts(PartitionedDenoiser denoiser, List<? extends DeviceTimes> times, Runs runs) {
        this.denoiser = denoiser;
        this.times = List.copyOf(times);
        this.runs = runs;
    }

    /** Of one run of a stage. */
    public double nanos(int stage) {
        return runs.nanos(times.get(denoiser.plan().stages().get(stage).device()), denoiser, stage);
    }

    @Override
    public long nanos(int device, Work<Region> work) {
        if (work instanceof Work.Run<Region> run) {
            return Math.round(nanos(run.stage()));
        }
        return Math.round(times.get(device).moveNanos(bytes(work.reads()) + bytes(work.writes())));
    }

    private static long bytes(List<Region> regions) {
        long bytes = 0;
        for (Region region : regions) {
            bytes += region.bytes();
        }
        return bytes;
    }
}
