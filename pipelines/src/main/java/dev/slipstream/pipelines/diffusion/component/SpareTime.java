package dev.slipstream.pipelines.diffusion.component;

import dev.slipstream.pipelines.cost.DeviceRates;
import dev.slipstream.pipelines.cost.Hardware;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.diffusion.denoise.StageCosts;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.simulate.BubbleFill.Job;
import dev.slipstream.pipelines.run.simulate.BubbleFill.Place;
import dev.slipstream.pipelines.run.simulate.BubbleFill;
import dev.slipstream.pipelines.run.simulate.Machine;
import dev.slipstream.pipelines.run.simulate.Simulator;
import dev.slipstream.pipelines.run.timeline.Timeline;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * What a loop leaves of its devices' time, by simulation, and the device on which text encoders and autoencoder take
 * least from it while they work for other requests. Only shares of times count, so devices are taken for usual ones.
 *
 * @param loop how it runs
 */
public record SpareTime(int home, Timeline loop) {
    /**
     * @param program of a loop
     * @param works graphs of what is done beside it, one work after another
     * @param mayBeHome whether they may live on a device
     */
    static SpareTime of(PartitionedDenoiser placed, Program program, List<List<Graph>> works,
        IntPredicate mayBeHome) {
        DeviceRates rates = Hardware.anyGpu(placed.denoiser().precision());
        int devices = placed.plan().devices();
        Timeline loop = Simulator.simulate(program, Machine.ideal(devices, new StageCosts(placed,
            Collections.nCopies(devices, rates), new StageCosts.Runs()))).timeline();
        List<Long> nanos = works.stream().map(graphs ->
            Math.round(graphs.stream().mapToDouble(rates::runNanos).sum())).toList();
        int home = IntStream.range(0, devices).filter(mayBeHome).boxed()
            .min(Comparator.comparingLong(device -> delay(loop, jobs(nanos, device)))).orElse(0);
        return new SpareTime(home, loop);
    }

    private static List<Job> jobs(List<Long> nanos, int device) {
        return nanos.stream().map(each -> new Job("", Map.of(device, each))).toList();
    }

    private static long delay(Timeline loop, List<Job> jobs) {
        return BubbleFill.of(loop, jobs).stream().mapToLong(Place::delayNanos).sum();
    }

    /**
     * After how many steps of the loop works begin that are done beside it, one after another.
     *
     * @param nanos how long each takes
     * @param loopNanos how long the loop takes in fact
     */
    public List<Integer> begins(List<Long> nanos, long loopNanos) {
        double scale = (double) loop.endNanos() / Math.max(1, loopNanos);
        return BubbleFill.of(loop, jobs(nanos.stream().map(each -> Math.round(each * scale)).toList(), home)).stream()
            .map(Place::afterSteps).toList();
    }
}
