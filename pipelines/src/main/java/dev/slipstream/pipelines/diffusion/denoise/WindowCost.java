package dev.slipstream.pipelines.diffusion.denoise;

import dev.slipstream.pipelines.cost.DeviceRates;
import dev.slipstream.pipelines.cost.Hardware;
import dev.slipstream.pipelines.plan.Cadence;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.simulate.Machine;
import dev.slipstream.pipelines.run.simulate.Simulator;
import dev.slipstream.pipelines.run.timeline.Timeline;
import dev.slipstream.pipelines.run.timeline.Timeline.Span;
import java.util.Collections;

/**
 * What a step of a plan's asynchronous window costs, by simulation. Only shares of times count, so devices are taken
 * for usual ones that are all the same, between which copies take no time.
 */
public final class WindowCost {
    private WindowCost() {
    }

    /**
     * In synchronous steps of the plan, as those of its warm-up are; 1 for a plan without a window.
     *
     * @param program its loop's
     */
    public static double of(PartitionedDenoiser placed, Program program) {
        Cadence cadence = placed.plan().cadence();
        int window = cadence.window(program.stepEvents().size());
        if (window == 0) {
            return 1;
        }
        int devices = placed.plan().devices();
        DeviceRates rates = Hardware.anyGpu(placed.denoiser().precision());
        Timeline loop = Simulator.simulate(program, Machine.ideal(devices, new StageCosts(placed,
            Collections.nCopies(devices, rates), new StageCosts.Runs()))).timeline();
        double warmedUp = end(loop, cadence.warmUp());
        return (end(loop, cadence.warmUp() + window) - warmedUp) / window / (warmedUp / cadence.warmUp());
    }

    /** When the first steps are done, so many. */
    private static double end(Timeline loop, int steps) {
        return loop.spans().stream().filter(span -> span.step() < steps).mapToLong(Span::endNanos).max().orElseThrow();
    }
}
