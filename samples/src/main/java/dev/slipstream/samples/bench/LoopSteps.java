package dev.slipstream.samples.bench;

import dev.slipstream.pipelines.diffusion.Denoiser;
import dev.slipstream.pipelines.diffusion.LoopOptions;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.Guidance;
import dev.slipstream.pipelines.run.LoopObserver;
import dev.slipstream.pipelines.run.NoiseTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** The loop as a picture needs it: denoiser, guidance, and the step of a noise scheduler. */
final class LoopSteps implements StepRuns {
    private static final Guidance GUIDANCE = Guidance.of(4);

    private final String way;
    private final Arena arena = Arena.ofShared();
    private final Execution execution;
    private final Map<String, MemorySegment> given;

    LoopSteps(Denoiser denoiser, int steps, boolean replayed) {
        this.way = "loop, " + (replayed ? "replayed" : "direct");
        this.execution = denoiser.prepare(table(steps), GUIDANCE, LoopOptions.DEFAULT.withReplay(replayed));
        this.given = LoopProbe.zeros(execution.program(), arena);
    }

    /** Every step a linear combination of latents and prediction, as DDIM's is. */
    private static NoiseTable table(int steps) {
        return new NoiseTable("linear", 1, IntStream.range(0, steps).mapToObj(step -> new NoiseTable.Row(
            999 - 999.0 * step / steps, 1, new NoiseTable.Next(0.99, -0.01, List.of(), 0), NoiseTable.Linear.ZERO,
            NoiseTable.Linear.ZERO)).toList());
    }

    @Override
    public String way() {
        return way;
    }

    @Override
    public int steps() {
        return execution.program().steps();
    }

    @Override
    public void run() {
        execution.run(given, LoopObserver.NONE);
    }

    @Override
    public long queueNanos(int step) {
        return execution.queueNanos(step);
    }

    @Override
    public void close() {
        execution.close();
        arena.close();
    }
}
