package dev.slipstream.samples.verify;

import dev.slipstream.bridge.Device;
import dev.slipstream.pipelines.diffusion.Blueprint;
import dev.slipstream.pipelines.diffusion.Denoiser;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.LoopObserver;
import dev.slipstream.pipelines.run.NoiseTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** Runs the loop of a folder with any plan. One thread at a time; the devices stay the caller's. */
final class CaseRunner {
    private final ReferenceFolder folder;
    private final LoopInputs inputs;
    private final List<Device> devices;

    /** @param devices those that plans may use; a plan for more runs on all of them */
    CaseRunner(ReferenceFolder folder, LoopInputs inputs, List<Device> devices) {
        this.folder = folder;
        this.inputs = inputs;
        this.devices = List.copyOf(devices);
    }

    /** Compares a case, step by step. */
    CaseResult run(ReferenceCase wanted, double tolerance) {
        List<float[]> expected = folder.expected(wanted, inputs.latents().shape());
        List<float[]> actual = latents(wanted.strategy(), wanted.devices(), folder.noise(wanted.scheduler()));
        return CaseResult.compare(wanted.name(), expected, actual, tolerance);
    }

    /** The latents after each step. */
    List<float[]> latents(Strategy strategy, int most, NoiseTable noise) {
        List<Device> used = devices.subList(0, Math.min(most, devices.size()));
        Blueprint blueprint = Blueprint.draw(folder.model(), inputs.shape(), strategy, used.size());
        try (Denoiser denoiser = Denoiser.build(blueprint, used);
            Execution execution = denoiser.prepare(noise, folder.guidance(), true, false);
            Arena arena = Arena.ofShared()) {
            execution.run(inputs.given(noise.initialScale(), arena), LoopObserver.NONE);
            MemorySegment latents = arena.allocate(inputs.shape().latents().bytes(), 64);
            List<float[]> steps = new ArrayList<>();
            for (int step = 0; step < noise.steps(); step++) {
                execution.latents(step, latents);
                steps.add(latents.toArray(ValueLayout.JAVA_FLOAT));
            }
            return steps;
        }
    }
}
