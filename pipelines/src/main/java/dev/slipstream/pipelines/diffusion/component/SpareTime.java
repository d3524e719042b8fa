package dev.slipstream.pipelines.diffusion.component;

import dev.slipstream.pipelines.cost.DeviceRates;
import dev.slipstream.pipelines.cost.Hardware;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.diffusion.denoise.StageCosts;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.simulate.BubbleFill.Job;
import dev.slipstream.pipelines.run.simulate.BubbleFill.Place;
import dev.slipstream.pipelines.run.simulate.BubbleFill;
import dev.slipstream.pipelines.run.simulate.Machine;
import dev.slipstream.pipelines.run.simulate.Simulator;
import dev.slipstream.pipelines.run.timeline.Timeline;
import java.util.ArrayList;
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
    private static final String USUAL = "A100";

    /** @param mayBeHome whether components may live on a device */
    static SpareTime of(RequestKeys request, Program program, IntPredicate mayBeHome) {
        PartitionedDenoiser placed = request.loop().denoiser().partitioned();
        DeviceRates rates = Hardware.gpu(USUAL, placed.denoiser().precision());
        int devices = placed.plan().devices();
        Timeline loop = Simulator.simulate(program, Machine.ideal(devices, new StageCosts(placed,
            Collections.nCopies(devices, rates), new StageCosts.Runs()))).timeline();
        int home = IntStream.range(0, devices).filter(mayBeHome).boxed()
            .min(Comparator.comparingLong(device -> delay(loop, jobs(request, rates, device)))).orElse(0);
        return new SpareTime(home, loop);
    }

    private static List<Job> jobs(RequestKeys request, DeviceRates rates, int device) {
        List<Job> jobs = new ArrayList<>();
        request.decoding().ifPresent(it -> jobs.add(new Job("decode", Map.of(device, it.decoders().stream()
            .mapToLong(key -> Math.round(rates.runNanos(key.autoencoder().decoder(key.tile()).graph()))).sum()))));
        jobs.add(new Job("encode", Map.of(device, request.text().encoders().graphs(request.text().clipSkip()).stream()
            .mapToLong(graph -> Math.round(rates.runNanos(graph.graph().graph()))).sum())));
        return jobs;
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
        return BubbleFill.of(loop, nanos.stream().map(each -> new Job("", Map.of(home, Math.round(each * scale))))
            .toList()).stream().map(Place::afterSteps).toList();
    }
}
